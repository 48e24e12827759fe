package dev.paramecium.chaos;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The texts in which experiments give times, shares and rates. */
public final class Quantities {

  private static final Pattern PART = Pattern.compile("([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)([a-zµμ]+)");
  private static final Pattern NUMBER = Pattern.compile("[0-9]+(\\.[0-9]*)?|\\.[0-9]+");
  private static final Map<String, Double> NANOS =
      Map.of(
          "ns", 1.0, "us", 1e3, "µs", 1e3, "μs", 1e3, "ms", 1e6, "s", 1e9, "m", 60e9, "h", 3600e9);
  private static final List<String> RATE_UNITS = List.of("bps", "kbps", "mbps", "gbps", "tbps");
  private static final double KIBI = 1024;

  private Quantities() {}

  /**
   * A time as Go's {@code time.ParseDuration} reads it: {@code 90ms}, {@code 1h30m}.
   *
   * @return nanoseconds, 0 or more
   * @throws IllegalArgumentException with the rule, if it is none
   */
  public static long nanos(String text) {
    if (text.equals("0")) {
      return 0;
    }
    Matcher part = PART.matcher(text);
    double nanos = 0;
    int end = 0;
    while (part.find(end) && part.start() == end) {
      Double unit = NANOS.get(part.group(2));
      if (unit == null) {
        throw new IllegalArgumentException(
            "unknown unit \"" + part.group(2) + "\": use ns, us, ms, s, m or h");
      }
      nanos += Double.parseDouble(part.group(1)) * unit;
      end = part.end();
    }
    if (text.isEmpty() || end != text.length() || nanos > Long.MAX_VALUE / 4.0) {
      throw new IllegalArgumentException("must be a duration such as 90ms, 5s or 1h30m");
    }
    return Math.round(nanos);
  }

  /**
   * A share: {@code 25} or {@code 0.5}.
   *
   * @throws IllegalArgumentException with the rule, if it is none
   */
  public static double percent(String text) {
    if (NUMBER.matcher(text).matches() && Double.parseDouble(text) <= 100) {
      return Double.parseDouble(text);
    }
    throw new IllegalArgumentException("must be a percentage from 0 to 100, without a sign");
  }

  /**
   * A rate in tc's units, which count bytes and 1024: {@code 1mbps} is 1 MiB a second.
   *
   * @return bytes a second, at least 1
   * @throws IllegalArgumentException with the rule, if it is none
   */
  public static long bytesPerSecond(String text) {
    Matcher part = PART.matcher(text.toLowerCase(Locale.ROOT).strip());
    if (part.matches() && RATE_UNITS.contains(part.group(2))) {
      double rate =
          Double.parseDouble(part.group(1)) * Math.pow(KIBI, RATE_UNITS.indexOf(part.group(2)));
      if (rate >= 1 && rate < Long.MAX_VALUE / 4.0) {
        return (long) rate;
      }
    }
    throw new IllegalArgumentException(
        "must be a rate in bytes a second with one of the units bps, kbps, mbps, gbps, tbps");
  }
}
