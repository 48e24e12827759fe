package dev.paramecium.chaos;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * When a Schedule is due: the five fields of crontab(5), {@code @hourly} and its like, or {@code
 * @every 90s}, as the library {@code robfig/cron} 3 reads them for Kubernetes and Chaos Mesh. In
 * UTC, or in the zone of a leading {@code TZ=Europe/Berlin}.
 *
 * <pre>
 *   minute 0-59 | hour 0-23 | day 1-31 | month 1-12, JAN-DEC | day of the week 0-6, SUN-SAT
 *   each: * or ?, a, a-b, and with a step: a/n, a-b/n, or *&#47;n; several with commas
 * </pre>
 *
 * Where both days are restricted, either will do.
 */
public final class Cron {

  private static final Map<String, String> WORDS =
      Map.of(
          "@yearly", "0 0 1 1 *",
          "@annually", "0 0 1 1 *",
          "@monthly", "0 0 1 * *",
          "@weekly", "0 0 * * 0",
          "@daily", "0 0 * * *",
          "@midnight", "0 0 * * *",
          "@hourly", "0 * * * *");
  private static final List<String> MONTHS =
      List.of("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec");
  private static final List<String> DAYS = List.of("sun", "mon", "tue", "wed", "thu", "fri", "sat");

  /** A day that never comes is not looked for longer. */
  private static final int YEARS = 5;

  /** One field: bit n for value n. */
  private record Field(long bits, boolean any) {

    boolean has(int value) {
      return (bits >>> value & 1) != 0;
    }
  }

  private final @Nullable Duration every;
  private final ZoneId zone;
  private final List<Field> fields;

  private Cron(@Nullable Duration every, ZoneId zone, List<Field> fields) {
    this.every = every;
    this.zone = zone;
    this.fields = fields;
  }

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException with the rule, if it is none
   */
  public static Cron parse(String text) {
    String rest = text.strip();
    ZoneId zone = ZoneOffset.UTC;
    if (rest.startsWith("TZ=") || rest.startsWith("CRON_TZ=")) {
      String[] parts = rest.split("\\s+", 2);
      String name = parts[0].substring(parts[0].indexOf('=') + 1);
      try {
        zone = ZoneId.of(name);
      } catch (DateTimeException e) {
        throw new IllegalArgumentException("unknown time zone \"" + name + "\"", e);
      }
      rest = parts.length < 2 ? "" : parts[1];
    }
    if (rest.startsWith("@every ")) {
      long seconds = Quantities.nanos(rest.substring(7).strip()) / 1_000_000_000;
      return new Cron(Duration.ofSeconds(Math.max(1, seconds)), zone, List.of());
    }
    String[] words = WORDS.getOrDefault(rest, rest).split("\\s+");
    if (words.length != 5) {
      throw new IllegalArgumentException(
          "must have five fields (minute, hour, day, month, day of the week), or be @every with a"
              + " duration, or @yearly, @monthly, @weekly, @daily or @hourly");
    }
    return new Cron(
        null,
        zone,
        List.of(
            field("minute", words[0], 0, 59, List.of()),
            field("hour", words[1], 0, 23, List.of()),
            field("day", words[2], 1, 31, List.of()),
            field("month", words[3], 1, 12, MONTHS),
            field("day of the week", words[4], 0, 6, DAYS)));
  }

  private static Field field(String what, String text, int min, int max, List<String> names) {
    long bits = 0;
    boolean any = false;
    for (String part : text.split(",", -1)) {
      String[] stepped = part.split("/", 2);
      String[] ends = stepped[0].split("-", 2);
      boolean all = stepped[0].equals("*") || stepped[0].equals("?");
      int from = all ? min : value(what, ends[0], min, max, names);
      int to =
          all || ends.length == 1 && stepped.length == 2
              ? max
              : ends.length == 1 ? from : value(what, ends[1], min, max, names);
      int step = stepped.length == 1 ? 1 : value(what, stepped[1], 1, Integer.MAX_VALUE, List.of());
      if (to < from) {
        throw new IllegalArgumentException(
            what + " \"" + part + "\" ends before it begins: write the smaller value first");
      }
      any |= all && step == 1;
      for (long at = from; at <= to; at += step) {
        bits |= 1L << at;
      }
    }
    return new Field(bits, any);
  }

  private static int value(String what, String text, int min, int max, List<String> names) {
    int named = names.indexOf(text.toLowerCase(Locale.ROOT));
    if (named >= 0) {
      return named + min;
    }
    if (text.matches("[0-9]{1,9}")) {
      int value = Integer.parseInt(text);
      if (value >= min && value <= max) {
        return value;
      }
    }
    throw new IllegalArgumentException(
        what
            + " \""
            + text
            + "\" must be "
            + (max == Integer.MAX_VALUE ? "a number above 0" : "from " + min + " to " + max));
  }

  /** The first time after {@code time}; null if there is none within five years. */
  public @Nullable Instant next(Instant time) {
    if (every != null) {
      return time.plus(every).truncatedTo(ChronoUnit.SECONDS);
    }
    ZonedDateTime at = time.atZone(zone).truncatedTo(ChronoUnit.MINUTES).plusMinutes(1);
    int lastYear = at.getYear() + YEARS;
    while (at.getYear() <= lastYear) {
      if (!fields.get(3).has(at.getMonthValue())) {
        at = at.truncatedTo(ChronoUnit.DAYS).withDayOfMonth(1).plusMonths(1);
      } else if (!isDay(at)) {
        at = at.truncatedTo(ChronoUnit.DAYS).plusDays(1);
      } else if (!fields.get(1).has(at.getHour())) {
        at = at.truncatedTo(ChronoUnit.HOURS).plusHours(1);
      } else if (!fields.get(0).has(at.getMinute())) {
        at = at.plusMinutes(1);
      } else {
        return at.toInstant();
      }
    }
    return null;
  }

  private boolean isDay(ZonedDateTime at) {
    boolean day = fields.get(2).has(at.getDayOfMonth());
    boolean weekday = fields.get(4).has(at.getDayOfWeek().getValue() % 7);
    return fields.get(2).any() || fields.get(4).any() ? day && weekday : day || weekday;
  }
}
