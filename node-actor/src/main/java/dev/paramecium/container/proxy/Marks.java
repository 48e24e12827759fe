package dev.paramecium.container.proxy;

/** The marks that the proxy's sockets carry ({@code bpf/lib/common.h}, {@code linux_defaults}). */
final class Marks {

  private static final int INGRESS = 0x0A00;
  private static final int EGRESS = 0x0B00;

  private Marks() {}

  /** Of a listener, and so of what it answers. */
  static int ofListener(boolean ingress) {
    return ingress ? INGRESS : EGRESS;
  }

  /** Of a connection that goes on in somebody's name. */
  static int inNameOf(int identity, boolean ingress) {
    return ofListener(ingress) | (identity & 0xffff) << 16 | identity >>> 16 & 0xff;
  }
}
