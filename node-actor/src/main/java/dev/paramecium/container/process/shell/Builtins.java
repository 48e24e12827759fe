package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.coreutils.Coreutils;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** The commands that a shell runs itself, at once (POSIX.1, 2.14). */
final class Builtins {

  private static final Set<String> NAMES =
      Set.of(
          ":",
          "true",
          "false",
          "echo",
          "printf",
          "test",
          "[",
          "exit",
          "cd",
          "pwd",
          "export",
          "unset",
          "set",
          "shift",
          "break",
          "continue",
          "command",
          "type",
          "trap",
          "umask",
          "return");

  private final ProcessContext context;

  Builtins(ProcessContext context) {
    this.context = context;
  }

  static boolean has(String name) {
    return NAMES.contains(name);
  }

  /** Runs a builtin; answers its exit code. */
  int run(List<String> words, Frame frame, Consumer<String> out, Consumer<String> err) {
    List<String> arguments = words.subList(1, words.size());
    String first = arguments.isEmpty() ? "" : arguments.getFirst();
    switch (words.getFirst()) {
      case "echo" -> out.accept(Coreutils.echoed(arguments));
      case "printf" -> {
        if (arguments.isEmpty()) {
          err.accept("sh: printf: usage: printf FORMAT [ARG]...\n");
          return 2;
        }
        out.accept(Coreutils.printed(first, arguments.subList(1, arguments.size())));
      }
      case "false" -> {
        return 1;
      }
      case "test", "[" -> {
        return new TestExpression(context, "sh", err).run(words);
      }
      case "exit", "return" -> {
        int code = number(first, frame.variables.lastExit());
        frame.stop(code);
        return code;
      }
      case "cd" -> {
        return cd(first.isEmpty() ? "/root" : first, frame, err);
      }
      case "pwd" -> out.accept(frame.variables.get("PWD") + "\n");
      case "export" -> arguments.forEach(word -> assign(word, frame));
      case "unset" -> arguments.forEach(frame.variables::unset);
      case "set" -> set(arguments, frame);
      case "shift" -> {
        List<String> positional = frame.variables.positional();
        int count = Math.min(number(first, 1), positional.size());
        frame.variables.setPositional(positional.subList(count, positional.size()));
      }
      case "break", "continue" -> {
        frame.leaving = Math.max(1, number(first, 1));
        frame.continuing = words.getFirst().equals("continue");
      }
      case "command", "type" -> {
        return find(arguments, words.getFirst().equals("type"), out, err);
      }
      // ":", "true", "trap", "umask": nothing that could be seen.
      default -> {}
    }
    return 0;
  }

  private static int number(String text, int otherwise) {
    return text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : otherwise;
  }

  private int cd(String target, Frame frame, Consumer<String> err) {
    if (!context.files().isDirectory(target)) {
      err.accept("sh: cd: can't cd to " + target + ": No such file or directory\n");
      return 2;
    }
    frame.variables.set("PWD", target);
    return 0;
  }

  private static void assign(String word, Frame frame) {
    int equals = word.indexOf('=');
    String name = equals < 0 ? word : word.substring(0, equals);
    if (equals >= 0) {
      frame.variables.set(name, word.substring(equals + 1));
    }
    frame.variables.export(name);
  }

  private static void set(List<String> arguments, Frame frame) {
    for (int i = 0; i < arguments.size(); i++) {
      String word = arguments.get(i);
      if (word.equals("--")) {
        frame.variables.setPositional(arguments.subList(i + 1, arguments.size()));
        return;
      } else if (word.startsWith("-") && word.contains("e")) {
        frame.exitOnError = true;
      } else if (word.startsWith("+") && word.contains("e")) {
        frame.exitOnError = false;
      }
    }
  }

  private int find(
      List<String> arguments, boolean type, Consumer<String> out, Consumer<String> err) {
    int code = 0;
    for (String name : arguments) {
      if (name.startsWith("-")) {
        continue;
      }
      if (has(name)) {
        out.accept(type ? name + " is a shell builtin\n" : name + "\n");
      } else if (context.canExecute(name)) {
        out.accept((type ? name + " is " : "") + "/usr/bin/" + name + "\n");
      } else {
        code = 127;
        if (type) {
          err.accept(name + ": not found\n");
        }
      }
    }
    return code;
  }
}
