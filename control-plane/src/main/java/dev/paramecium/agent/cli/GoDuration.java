package dev.paramecium.agent.cli;

/** Durations as Go's {@code time.Duration} prints them. */
final class GoDuration {

  private static final long MICROSECOND = 1_000;
  private static final long MILLISECOND = 1_000_000;
  private static final long SECOND = 1_000_000_000;

  private GoDuration() {}

  /** {@code 850ns}, {@code 312.5µs}, {@code 1.234567ms}, {@code 1m2.5s}. */
  static String text(long nanos) {
    if (nanos < MICROSECOND) {
      return nanos == 0 ? "0s" : nanos + "ns";
    }
    if (nanos < MILLISECOND) {
      return decimal(nanos, MICROSECOND) + "µs";
    }
    if (nanos < SECOND) {
      return decimal(nanos, MILLISECOND) + "ms";
    }
    long minutes = nanos / (60 * SECOND);
    long hours = minutes / 60;
    return (hours > 0 ? hours + "h" : "")
        + (minutes > 0 ? minutes % 60 + "m" : "")
        + decimal(nanos % (60 * SECOND), SECOND)
        + "s";
  }

  private static String decimal(long value, long unit) {
    String fraction = Long.toString(unit + value % unit).substring(1).replaceFirst("0+$", "");
    return value / unit + (fraction.isEmpty() ? "" : "." + fraction);
  }
}
