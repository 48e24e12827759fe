package dev.paramecium.datapath.sock;

/** The errno that programs on sockets say among themselves; a process sees none of them. */
final class SockErrno {

  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int ENXIO = 6;
  static final int ENOMEM = 12;
  static final int ENOTSUP = 95;
  static final int EADDRINUSE = 98;

  private SockErrno() {}
}
