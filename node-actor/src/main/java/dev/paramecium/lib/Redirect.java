package dev.paramecium.lib;

import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;

/** {@code ctx_redirect}. */
public final class Redirect {

  /** BPF_F_INGRESS. */
  public static final int INGRESS = 1;

  private Redirect() {}

  /**
   * @param flags 0 for the device's egress, {@link #INGRESS}
   */
  public static int to(SkBuff packet, int ifindex, int flags) {
    packet.redirectIfindex = ifindex;
    packet.redirectFlags = flags;
    return Verdict.REDIRECT;
  }
}
