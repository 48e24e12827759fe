package dev.paramecium.bpf;

/**
 * What a tc program answers ({@code include/uapi/linux/pkt_cls.h}). Any other negative number is a
 * raw code that a tc hook does not drop on.
 */
public final class Verdict {

  /** Goes on: to the stack on ingress, to the wire on egress. */
  public static final int OK = 0;

  /** Dropped. */
  public static final int SHOT = 2;

  /** Handed to {@link SkBuff#redirectIfindex}. */
  public static final int REDIRECT = 7;

  /**
   * Not a verdict yet: a {@link ProgramArray#tailCall} succeeded and {@link TailCalls#run} goes on
   * with the program that it found.
   */
  public static final int TAIL_CALL = Integer.MIN_VALUE;

  private Verdict() {}
}
