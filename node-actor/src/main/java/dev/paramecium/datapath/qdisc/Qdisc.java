package dev.paramecium.datapath.qdisc;

import dev.paramecium.bpf.SkBuff;

/**
 * Takes packets and lets them go on, now, later or never.
 *
 * <pre>
 *   take --&gt; Exit.pass | Exit.drop | held back … release --&gt; Exit.pass
 * </pre>
 */
interface Qdisc {

  /** Nothing is held back. */
  long NOTHING_DUE = Long.MAX_VALUE;

  /** Takes a packet, which is given. */
  void take(SkBuff packet, long nowNanos, Exit exit);

  /** Lets go on what is due, and answers when the next is; {@link #NOTHING_DUE} for never. */
  long release(long nowNanos, Exit exit);

  /** Drops what is held back. */
  void drain(Exit exit);

  /** Where packets go. */
  interface Exit {

    void pass(SkBuff packet);

    void drop(SkBuff packet, String why);
  }
}
