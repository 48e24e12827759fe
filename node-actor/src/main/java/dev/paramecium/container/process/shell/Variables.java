package dev.paramecium.container.process.shell;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A shell's variables, positional parameters and last exit code. */
final class Variables {

  private final Map<String, String> values = new HashMap<>();
  private final Set<String> exported = new HashSet<>();
  private List<String> positional;
  private final String name;
  private final int pid;
  private int lastExit;

  Variables(Map<String, String> env, String name, List<String> positional, int pid) {
    this.name = name;
    this.positional = List.copyOf(positional);
    this.pid = pid;
    values.putAll(env);
    exported.addAll(env.keySet());
    values.put("PWD", "/");
  }

  /** A subshell's: it sees these, and changes its own. */
  Variables copy() {
    Variables copy = new Variables(values, name, positional, pid);
    copy.exported.clear();
    copy.exported.addAll(exported);
    copy.lastExit = lastExit;
    return copy;
  }

  @Nullable String get(String variable) {
    return switch (variable) {
      case "?" -> String.valueOf(lastExit);
      case "$" -> String.valueOf(pid);
      case "#" -> String.valueOf(positional.size());
      case "@", "*" -> String.join(" ", positional);
      case "0" -> name;
      default -> {
        if (Character.isDigit(variable.charAt(0))) {
          int index = Integer.parseInt(variable) - 1;
          yield index < positional.size() ? positional.get(index) : null;
        }
        yield values.get(variable);
      }
    };
  }

  void set(String variable, String value) {
    values.put(variable, value);
  }

  void unset(String variable) {
    values.remove(variable);
    exported.remove(variable);
  }

  void export(String variable) {
    exported.add(variable);
  }

  List<String> positional() {
    return positional;
  }

  void setPositional(List<String> words) {
    positional = List.copyOf(words);
  }

  /** What a child gets. */
  Map<String, String> environment() {
    Map<String, String> env = new HashMap<>();
    for (String variable : exported) {
      String value = values.get(variable);
      if (value != null) {
        env.put(variable, value);
      }
    }
    return env;
  }

  int lastExit() {
    return lastExit;
  }

  void setLastExit(int code) {
    lastExit = code;
  }
}
