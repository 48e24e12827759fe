package dev.paramecium.policy.rule;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A name or a pattern of names (Cilium {@code pkg/policy/api/fqdn.go}, {@code
 * pkg/fqdn/matchpattern}). One of the two is empty.
 *
 * @param matchPattern {@code *} stands for any characters of one label; alone, for every name
 */
public record FqdnSelector(String matchName, String matchPattern) implements Selector {

  private static final Pattern NAME = Pattern.compile("[-a-zA-Z0-9_.]+");
  private static final Pattern PATTERN = Pattern.compile("[-a-zA-Z0-9_.*]+");

  /** Whether {@code name}, in any case, with or without the dot at its end, is selected. */
  public boolean matches(String name) {
    return Pattern.compile(expression()).matcher(qualified(name)).matches();
  }

  /**
   * What matches the whole of each qualified name in lower case that is selected, in RE2's syntax.
   */
  public String expression() {
    if (matchName.isEmpty() && matchPattern.equals("*")) {
      return "([-a-zA-Z0-9_]+[.])+|[.]";
    }
    String pattern = qualified(matchName.isEmpty() ? matchPattern : matchName);
    return pattern.replace(".", "[.]").replace("*", "[-a-zA-Z0-9_]*");
  }

  private static String qualified(String name) {
    String lower = name.toLowerCase(Locale.ROOT).strip();
    return lower.endsWith(".") || lower.equals("*") ? lower : lower + ".";
  }

  /**
   * Refuses characters that no name has.
   *
   * @throws InvalidRuleException naming the field and the value
   */
  void validateCharacters() {
    if (!matchName.isEmpty() && !NAME.matcher(matchName).matches()) {
      throw new InvalidRuleException(
          "Invalid characters in MatchName: \""
              + matchName
              + "\". Only 0-9, a-z, A-Z and . and - characters are allowed");
    }
    if (!matchPattern.isEmpty() && !PATTERN.matcher(matchPattern).matches()) {
      throw new InvalidRuleException(
          "Invalid characters in MatchPattern: \""
              + matchPattern
              + "\". Only 0-9, a-z, A-Z and ., - and * characters are allowed");
    }
  }

  @Override
  public String toString() {
    return "MatchName: " + matchName + ", MatchPattern: " + matchPattern;
  }
}
