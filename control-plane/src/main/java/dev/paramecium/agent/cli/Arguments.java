package dev.paramecium.agent.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A command's words and flags, as cobra reads them.
 *
 * @param words what is not a flag, after {@code cilium}
 * @param flags the switches that were set, without dashes
 * @param values of flags that take one, without dashes; a comma separates several
 * @param output the value of {@code -o}, empty for tables
 * @param error what is wrong with the arguments, empty if nothing is
 */
record Arguments(
    List<String> words,
    Set<String> flags,
    Map<String, List<String>> values,
    String output,
    String error) {

  private static final Set<String> SWITCHES =
      Set.of(
          "brief",
          "h",
          "help",
          "verbose",
          "v",
          "n",
          "probe",
          "succinct",
          "r",
          "read-only",
          "numeric",
          "endpoints",
          "no-headers",
          "all-addresses",
          "all-controllers",
          "all-health",
          "all-nodes",
          "all-redirects",
          "all-clusters",
          "all",
          "k8s-cluster-internal",
          "k8s-external",
          "k8s-host-port",
          "k8s-load-balancer",
          "k8s-node-port",
          "local-redirect",
          "print");

  private static final Set<String> VALUES =
      Set.of(
          "backends",
          "cidr",
          "d",
          "dport",
          "dst",
          "dst-endpoint",
          "dst-identity",
          "dst-k8s-pod",
          "dst-k8s-yaml",
          "frontend",
          "id",
          "k8s-traffic-policy",
          "revision",
          "s",
          "src",
          "src-endpoint",
          "src-identity",
          "src-k8s-pod",
          "src-k8s-yaml",
          "states");

  /** Reads everything after {@code cilium}. */
  static Arguments parse(List<String> argv) {
    List<String> words = new ArrayList<>();
    Set<String> flags = new HashSet<>();
    Map<String, List<String>> values = new HashMap<>();
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
        int equals = name.indexOf('=');
        String flag = equals < 0 ? name : name.substring(0, equals);
        if (VALUES.contains(flag)) {
          if (equals < 0 && ++i == argv.size()) {
            return wrong("flag needs an argument: " + word);
          }
          String value = equals < 0 ? argv.get(i) : name.substring(equals + 1);
          List.of(value.split(",", -1))
              .forEach(one -> values.computeIfAbsent(flag, _ -> new ArrayList<>()).add(one));
        } else if (SWITCHES.contains(name)) {
          flags.add(name);
        } else {
          return wrong("unknown flag: " + word);
        }
      } else {
        words.add(word);
      }
    }
    if (!output.isEmpty() && !output.equals("json")) {
      return wrong("output \"" + output + "\" is not known: use -o json");
    }
    return new Arguments(List.copyOf(words), Set.copyOf(flags), Map.copyOf(values), output, "");
  }

  private static Arguments wrong(String error) {
    return new Arguments(List.of(), Set.of(), Map.of(), "", error);
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

  /** Everything that a flag was given, none if it was not. */
  List<String> values(String flag) {
    return values.getOrDefault(flag, List.of());
  }

  /** What a flag was given last. */
  String value(String flag, String otherwise) {
    List<String> given = values(flag);
    return given.isEmpty() ? otherwise : given.getLast();
  }

  /** The word at {@code index}, empty if there are fewer. */
  String word(int index) {
    return index < words.size() ? words.get(index) : "";
  }
}
