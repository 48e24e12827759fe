package dev.paramecium.datapath.sock;

/** A program on a socket call: it may change the address, and answers whether the call goes on. */
@FunctionalInterface
public interface SockAddrProgram {

  /** SYS_REJECT: the call fails with EPERM. */
  int REJECT = 0;

  /** SYS_PROCEED. */
  int PROCEED = 1;

  int run(SockAddr call);
}
