package dev.paramecium.container.process.server;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Flags as Go's pflag reads them: {@code --port=80}, {@code --port 80}, {@code --udp}. */
final class GoFlags {

  private static final Pattern DURATION = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h)");

  private final Map<String, String> values = new HashMap<>();
  private final List<String> operands = new ArrayList<>();

  /**
   * Parses.
   *
   * @param switches the flags that take no value
   */
  GoFlags(List<String> arguments, List<String> switches) {
    for (int i = 0; i < arguments.size(); i++) {
      String word = arguments.get(i);
      if (!word.startsWith("-") || word.length() == 1) {
        operands.add(word);
        continue;
      }
      String flag = word.replaceFirst("^--?", "");
      int equals = flag.indexOf('=');
      if (equals >= 0) {
        values.put(flag.substring(0, equals), flag.substring(equals + 1));
      } else if (switches.contains(flag) || i + 1 == arguments.size()) {
        values.put(flag, "true");
      } else {
        values.put(flag, arguments.get(++i));
      }
    }
  }

  List<String> operands() {
    return operands;
  }

  String text(String flag, String otherwise) {
    return values.getOrDefault(flag, otherwise);
  }

  boolean isOn(String flag, boolean otherwise) {
    return Boolean.parseBoolean(values.getOrDefault(flag, String.valueOf(otherwise)));
  }

  /** A number; the message of the exception is pflag's. */
  int number(String flag, int otherwise) {
    String text = values.get(flag);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("-?[0-9]{1,9}")) {
      throw new IllegalArgumentException(
          "invalid argument \"" + text + "\" for \"--" + flag + "\" flag: invalid syntax");
    }
    return Integer.parseInt(text);
  }

  /** A duration such as {@code 1m30s} in milliseconds; 0 if the flag is not set. */
  long millis(String flag) {
    String text = values.getOrDefault(flag, "0s");
    long total = duration(text);
    if (total < 0) {
      throw new IllegalArgumentException(
          "invalid argument \""
              + text
              + "\" for \"--"
              + flag
              + "\" flag: time: invalid duration \""
              + text
              + "\"");
    }
    return total;
  }

  /** Go's time.ParseDuration in milliseconds, -1 if the text is none. */
  static long duration(String text) {
    if (text.equals("0")) {
      return 0;
    }
    Matcher matcher = DURATION.matcher(text);
    double total = 0;
    int end = 0;
    while (matcher.find() && matcher.start() == end) {
      double unit =
          switch (matcher.group(2)) {
            case "ms" -> 1;
            case "s" -> 1000;
            case "m" -> 60_000;
            default -> 3_600_000;
          };
      total += Double.parseDouble(matcher.group(1)) * unit;
      end = matcher.end();
    }
    return end == 0 || end < text.length() ? -1 : Math.round(total);
  }
}
