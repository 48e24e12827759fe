package dev.paramecium.bpf;

/**
 * A program: a function from (packet, maps) to a verdict. It keeps no state of its own between
 * packets; maps are the only memory that it shares.
 *
 * <p>An instance that one actor owns runs in one thread at a time and may hold scratch space; one
 * that stands in a {@link ProgramArray} is run by every thread that tail-calls it. What it says
 * beside the verdict (redirect target, tunnel key, mark, cb) it writes into the {@link SkBuff}, as
 * a kernel program does.
 */
public interface Program {

  /**
   * Runs on one packet and answers a {@link Verdict}, {@link Verdict#TAIL_CALL} or a raw negative
   * code. Called through {@link TailCalls#run}.
   */
  int run(SkBuff packet);
}
