package dev.paramecium.bpf;

/** What an XDP program answers ({@code enum xdp_action} of {@code include/uapi/linux/bpf.h}). */
public final class XdpAction {

  /** The program failed; the frame is dropped, and so is one with any number not named here. */
  public static final int ABORTED = 0;

  public static final int DROP = 1;

  /** Goes on to the stack: taps, tc ingress. */
  public static final int PASS = 2;

  /** Leaves through the device that it came in on, past that device's tc egress. */
  public static final int TX = 3;

  /** Leaves through {@link SkBuff#redirectIfindex}, past that device's tc egress. */
  public static final int REDIRECT = 4;

  private XdpAction() {}

  /** {@code XDP_PASS}. */
  public static String text(int action) {
    return switch (action) {
      case ABORTED -> "XDP_ABORTED";
      case DROP -> "XDP_DROP";
      case PASS -> "XDP_PASS";
      case TX -> "XDP_TX";
      case REDIRECT -> "XDP_REDIRECT";
      default -> "XDP " + action;
    };
  }
}
