package dev.paramecium.container.process.curl;

import java.util.Locale;

/** curl's progress meter: two lines of heading, then one line that is written over itself. */
final class Meter {

  static final String HEADING =
      "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
          + "                                 Dload  Upload   Total   Spent    Left  Speed\n";

  private Meter() {}

  /**
   * The line for one moment.
   *
   * @param expected the download's size, -1 if unknown
   */
  static String line(long received, long expected, long sent, long elapsedNs) {
    double seconds = Math.max(elapsedNs, 1000) / 1e9;
    long down = (long) (received / seconds);
    long up = (long) (sent / seconds);
    long totalSize = Math.max(expected, received) + sent;
    long estimate = expected > 0 && down > 0 ? expected / down : 0;
    long spent = elapsedNs / 1_000_000_000L;
    return String.format(
        Locale.ROOT,
        "\r%3d %s  %3d %s  %3d %s  %s  %s %s %s %s %s",
        totalSize == 0 ? 0 : 100 * (received + sent) / totalSize,
        five(totalSize),
        expected <= 0 ? (received > 0 ? 100 : 0) : 100 * received / expected,
        five(received),
        sent > 0 ? 100 : 0,
        five(sent),
        five(down),
        five(up),
        time(estimate),
        time(spent),
        time(estimate > 0 ? estimate - spent : 0),
        five(down));
  }

  /** A number of bytes in five columns. */
  static String five(long bytes) {
    long kilo = 1024;
    long mega = kilo * kilo;
    long giga = mega * kilo;
    if (bytes < 100_000) {
      return String.format(Locale.ROOT, "%5d", bytes);
    } else if (bytes < 10_000 * kilo) {
      return String.format(Locale.ROOT, "%4dk", bytes / kilo);
    } else if (bytes < 100 * mega) {
      return String.format(Locale.ROOT, "%2d.%dM", bytes / mega, bytes % mega / (mega / 10));
    } else if (bytes < 10_000 * mega) {
      return String.format(Locale.ROOT, "%4dM", bytes / mega);
    } else if (bytes < 100 * giga) {
      return String.format(Locale.ROOT, "%2d.%dG", bytes / giga, bytes % giga / (giga / 10));
    }
    return String.format(Locale.ROOT, "%4dG", bytes / giga);
  }

  private static String time(long seconds) {
    return seconds <= 0
        ? "--:--:--"
        : String.format(
            Locale.ROOT, "%2d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
}
