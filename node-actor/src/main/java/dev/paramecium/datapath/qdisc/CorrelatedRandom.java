package dev.paramecium.datapath.qdisc;

import dev.paramecium.bpf.RandomSource;
import dev.paramecium.syscall.Impairment.Chance;

/** A chance whose luck depends on the luck before ({@code get_crandom} of sch_netem.c). */
final class CorrelatedRandom {

  private static final double ALWAYS = 0xffff_ffffL;

  private final RandomSource random;
  private final long threshold;
  private final long rho;
  private long last;

  CorrelatedRandom(Chance chance, RandomSource random) {
    this.random = random;
    this.threshold = share(chance.percent());
    this.rho = share(chance.correlation());
    this.last = next32();
  }

  /** As tc turns a percentage into 32 bits. */
  private static long share(double percent) {
    return Math.round(percent / 100 * ALWAYS);
  }

  private long next32() {
    return random.nextInt() & 0xffff_ffffL;
  }

  /** Whether it happens this time. */
  boolean happens() {
    return threshold > 0 && threshold >= next();
  }

  /** Whether the threshold is above this time's number: how sch_netem decides on reordering. */
  boolean exceeded() {
    return threshold < next();
  }

  /** 32 bits, evenly distributed if nothing is correlated. */
  long next() {
    long value = next32();
    if (rho == 0) {
      return value;
    }
    long weight = rho + 1;
    // Both products are below 2^64; their sum is taken apart so as not to overflow.
    long answer =
        Math.unsignedMultiplyHigh(value << 32, (1L << 32) - weight)
            + Math.unsignedMultiplyHigh(last << 32, weight);
    last = answer;
    return answer;
  }
}
