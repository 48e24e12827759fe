package dev.paramecium.agent.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A command's words and flags, as cobra reads them.
 *
 * @param words what is not a flag, after {@code cilium}
 * @param flags the switches that were set, without dashes
 * @param output the value of {@code -o}, empty for tables
 * @param error what is wrong with the arguments, empty if nothing is
 */
record Arguments(List<String> words, Set<String> flags, String output, String error) {

  private static final Set<String> SWITCHES =
      Set.of(
          "brief",
          "verbose",
          "v",
          "n",
          "numeric",
          "endpoints",
          "no-headers",
          "all-addresses",
          "all-controllers",
          "all-health",
          "all-nodes",
          "all-redirects",
          "all-clusters");

  /** Reads everything after {@code cilium}. */
  static Arguments parse(List<String> argv) {
    List<String> words = new ArrayList<>();
    Set<String> flags = new HashSet<>();
    String output = "";
    for (int i = 1; i < argv.size(); i++) {
      String word = argv.get(i);
      if (word.equals("-o") || word.equals("--output")) {
        if (++i == argv.size()) {
          return wrong("flag needs an argument: '" + word + "'");
        }
        output = argv.get(i);
      } else if (word.startsWith("--output=")) {
        output = word.substring("--output=".length());
      } else if (word.startsWith("-o") && !word.startsWith("--")) {
        output = word.substring(word.startsWith("-o=") ? 3 : 2);
      } else if (word.startsWith("-") && word.length() > 1) {
        String name = word.substring(word.startsWith("--") ? 2 : 1);
        if (!SWITCHES.contains(name)) {
          return wrong("unknown flag: " + word);
        }
        flags.add(name);
      } else {
        words.add(word);
      }
    }
    if (!output.isEmpty() && !output.equals("json")) {
      return wrong("output \"" + output + "\" is not known: use -o json");
    }
    return new Arguments(List.copyOf(words), Set.copyOf(flags), output, "");
  }

  private static Arguments wrong(String error) {
    return new Arguments(List.of(), Set.of(), "", error);
  }

  boolean json() {
    return output.equals("json");
  }

  boolean has(String... anyOf) {
    for (String flag : anyOf) {
      if (flags.contains(flag)) {
        return true;
      }
    }
    return false;
  }

  /** The word at {@code index}, empty if there are fewer. */
  String word(int index) {
    return index < words.size() ? words.get(index) : "";
  }
}
