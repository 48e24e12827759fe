package dev.paramecium.kernel;

import java.time.Duration;

/**
 * How soon conntrack is collected again ({@code ctmap.GetInterval}): sooner if a round took away
 * much of what a map has room for, later if little, and as before if it found nothing.
 */
final class GcInterval {

  private static final Duration START = Duration.ofMinutes(5);
  private static final Duration MIN = Duration.ofSeconds(10);

  /** Of LRU maps, which make room by themselves. */
  private static final Duration MAX = Duration.ofHours(12);

  private static final double MANY = 0.25;
  private static final double MOST = 0.9;
  private static final double FEW = 0.05;
  private static final double GROWTH = 1.5;

  private Duration current = START;

  /**
   * @param ratio of the round that is over: 0 to 1
   */
  Duration after(double ratio) {
    if (ratio > MANY) {
      Duration less = times(1 - Math.min(ratio, MOST));
      current = less.compareTo(MIN) < 0 ? MIN : less;
    } else if (ratio > 0 && ratio < FEW) {
      Duration more = times(GROWTH);
      current = more.compareTo(MAX) > 0 ? MAX : more;
    }
    return current;
  }

  private Duration times(double factor) {
    return Duration.ofSeconds(Math.round(current.toSeconds() * factor));
  }
}
