package dev.paramecium.agent.option;

import dev.paramecium.abi.Ipv4Prefix;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * One option: its name, what it is when nobody says otherwise, and what it may be.
 *
 * @param allowed in words, for whoever gave something else
 */
record Option(String name, String byDefault, String allowed, Predicate<String> isValid) {

  static Option flag(String name, boolean byDefault) {
    return oneOf(name, Boolean.toString(byDefault), "true", "false");
  }

  static Option oneOf(String name, String byDefault, String... values) {
    List<String> known = List.of(values);
    return new Option(name, byDefault, "one of " + String.join(", ", values), known::contains);
  }

  static Option number(String name, int byDefault, int min, int max) {
    return new Option(
        name,
        Integer.toString(byDefault),
        "a number from " + min + " to " + max,
        value -> {
          try {
            int number = Integer.parseInt(value);
            return number >= min && number <= max;
          } catch (NumberFormatException notANumber) {
            return false;
          }
        });
  }

  /** An IPv4 network, or nothing. */
  static Option prefix(String name) {
    return new Option(
        name,
        "",
        "a network such as 10.0.0.0/8",
        value -> {
          try {
            return value.isEmpty() || Ipv4Prefix.parse(value) != null;
          } catch (IllegalArgumentException notAPrefix) {
            return false;
          }
        });
  }

  /** A flag's spelling as Go reads it: TRUE, True, 1 and so on. */
  String normalised(String value) {
    if (!allowed.equals("one of true, false")) {
      return value;
    }
    String lower = value.toLowerCase(Locale.ROOT);
    return Arrays.asList("true", "t", "1").contains(lower)
        ? "true"
        : Arrays.asList("false", "f", "0").contains(lower) ? "false" : value;
  }
}
