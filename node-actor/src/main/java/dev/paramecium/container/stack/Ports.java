package dev.paramecium.container.stack;

/** net.ipv4.ip_local_port_range. */
final class Ports {

  static final int FIRST = 32768;
  static final int LAST = 60999;
  static final int COUNT = LAST - FIRST + 1;

  private Ports() {}
}
