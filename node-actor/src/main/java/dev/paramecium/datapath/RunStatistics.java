package dev.paramecium.datapath;

/** How often a program ran and for how long. One actor counts, any thread reads. */
public final class RunStatistics {

  private volatile long runCount;
  private volatile long runTimeNs;

  // One writer: a plain read-modify-write loses nothing.
  @SuppressWarnings("NonAtomicVolatileUpdate")
  void ran(int packets, long nanos) {
    runCount += packets;
    runTimeNs += nanos;
  }

  public long runCount() {
    return runCount;
  }

  public long runTimeNs() {
    return runTimeNs;
  }
}
