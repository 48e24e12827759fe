package dev.paramecium.syscall;

/** What a faulty link does to a packet. */
public sealed interface Impairment {

  /** {@code iptables -j DROP}: every packet ends. */
  record Drop() implements Impairment {}

  /**
   * {@code tc qdisc … netem}, in the order in which {@code net/sched/sch_netem.c} does it: repeat,
   * lose, corrupt, then hold back.
   *
   * @param delayNanos how long a packet is held back
   * @param jitterNanos at most this much more or less, evenly distributed
   * @param delayCorrelation percent of a packet's jitter that is the one before's
   * @param reorder packets that overtake all that are held back
   * @param gap only every so many packets may overtake; 0 with a chance of 0
   */
  record Netem(
      Chance loss,
      Chance duplicate,
      Chance corrupt,
      long delayNanos,
      long jitterNanos,
      double delayCorrelation,
      Chance reorder,
      int gap)
      implements Impairment {

    /** A link without a fault; {@code with…} adds some. */
    public static final Netem NONE =
        new Netem(Chance.NEVER, Chance.NEVER, Chance.NEVER, 0, 0, 0, Chance.NEVER, 0);

    public Netem {
      if (delayNanos < 0 || jitterNanos < 0 || gap < 0) {
        throw new IllegalArgumentException(
            "delay "
                + delayNanos
                + " ns, jitter "
                + jitterNanos
                + " ns, gap "
                + gap
                + ": use 0 or more");
      }
      Chance.checkPercent(delayCorrelation);
    }

    public Netem withLoss(Chance chance) {
      return new Netem(
          chance, duplicate, corrupt, delayNanos, jitterNanos, delayCorrelation, reorder, gap);
    }

    public Netem withDuplicate(Chance chance) {
      return new Netem(
          loss, chance, corrupt, delayNanos, jitterNanos, delayCorrelation, reorder, gap);
    }

    public Netem withCorrupt(Chance chance) {
      return new Netem(
          loss, duplicate, chance, delayNanos, jitterNanos, delayCorrelation, reorder, gap);
    }

    public Netem withDelay(long nanos, long jitter, double correlation) {
      return new Netem(loss, duplicate, corrupt, nanos, jitter, correlation, reorder, gap);
    }

    /** As tc has it, a gap of 0 with a chance means 1: any packet may overtake. */
    public Netem withReorder(Chance chance, int every) {
      return new Netem(
          loss,
          duplicate,
          corrupt,
          delayNanos,
          jitterNanos,
          delayCorrelation,
          chance,
          chance.percent() > 0 ? Math.max(1, every) : every);
    }
  }

  /**
   * {@code tc qdisc … tbf}, a token bucket ({@code net/sched/sch_tbf.c}).
   *
   * @param bytesPerSecond the rate
   * @param limit bytes that may wait; more are dropped
   * @param burst the bucket's size in bytes
   * @param peakBytesPerSecond how fast the bucket may be emptied; 0 for as fast as the link can
   * @param peakBurst the size in bytes of the bucket behind it; 0 without a peak rate
   */
  record Tbf(long bytesPerSecond, long limit, long burst, long peakBytesPerSecond, long peakBurst)
      implements Impairment {

    public Tbf {
      if (bytesPerSecond < 1 || limit < 1 || burst < 1) {
        throw new IllegalArgumentException(
            "rate "
                + bytesPerSecond
                + " B/s, limit "
                + limit
                + " B, burst "
                + burst
                + " B: use 1 or more");
      }
      if (peakBytesPerSecond != 0 && (peakBytesPerSecond <= bytesPerSecond || peakBurst < 1)) {
        throw new IllegalArgumentException(
            "peak rate "
                + peakBytesPerSecond
                + " B/s with a burst of "
                + peakBurst
                + " B: it must be above the rate, "
                + bytesPerSecond
                + " B/s, and its burst 1 or more");
      }
    }

    /** Without a peak rate. */
    public Tbf(long bytesPerSecond, long limit, long burst) {
      this(bytesPerSecond, limit, burst, 0, 0);
    }

    /** The largest packet that both buckets can ever let go. */
    public long largest() {
      return peakBytesPerSecond == 0 ? burst : Math.min(burst, peakBurst);
    }
  }

  /**
   * A share of the packets.
   *
   * @param percent 0 to 100
   * @param correlation percent of a packet's luck that is the one before's
   */
  record Chance(double percent, double correlation) {

    public static final Chance NEVER = new Chance(0, 0);

    public Chance {
      checkPercent(percent);
      checkPercent(correlation);
    }

    static void checkPercent(double value) {
      if (!(value >= 0 && value <= 100)) {
        throw new IllegalArgumentException(value + " is not a percentage: use 0 to 100");
      }
    }
  }
}
