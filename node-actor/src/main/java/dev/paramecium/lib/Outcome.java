package dev.paramecium.lib;

import dev.paramecium.bpf.Verdict;

/** What a step answers. */
public final class Outcome {

  /** POLICY_ACT_PROXY_REDIRECT: ingress policy sends the packet to a proxy. */
  public static final int PROXY_REDIRECT = 1 << 16;

  private Outcome() {}

  /** {@code IS_ERR}: a negative drop reason, not a verdict and not a tail call. */
  public static boolean isError(int outcome) {
    return outcome < 0 && outcome != Verdict.TAIL_CALL;
  }
}
