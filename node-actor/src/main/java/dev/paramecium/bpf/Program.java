package dev.paramecium.bpf;

/**
 * A program: a function from (packet, maps) to a verdict. It keeps no state of its own between
 * packets; maps are the only memory that it shares.
 *
 * <p>Not for several threads at once: an instance may hold scratch space. What it says beside the
 * verdict (redirect target, tunnel key, mark, cb) it writes into the {@link SkBuff}, as a kernel
 * program does.
 */
public interface Program {

  /** Runs on one packet and answers a {@link Verdict} or a raw negative code. */
  int run(SkBuff packet);
}
