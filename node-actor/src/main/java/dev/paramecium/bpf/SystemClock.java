package dev.paramecium.bpf;

/**
 * The machine's clocks; "boot" is when the JVM started, plus a day, so that no lifetime computed
 * from it is ever negative.
 */
enum SystemClock implements Clock {
  INSTANCE;

  private static final long DAY_NS = 86_400_000_000_000L;
  private final long bootNs = System.nanoTime() - DAY_NS;

  @Override
  public long nanos() {
    return System.nanoTime() - bootNs;
  }

  @Override
  public long epochMs() {
    return System.currentTimeMillis();
  }
}
