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
      case "test" -> {
        return test(arguments, err);
      }
      case "[" -> {
        if (arguments.isEmpty() || !arguments.getLast().equals("]")) {
          err.accept("sh: [: missing ]\n");
          return 2;
        }
        return test(arguments.subList(0, arguments.size() - 1), err);
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

  /** {@code test}: 0 true, 1 false, 2 not an expression. */
  private int test(List<String> words, Consumer<String> err) {
    if (words.isEmpty()) {
      return 1;
    }
    for (String operator : List.of("-o", "-a")) {
      int split = words.lastIndexOf(operator);
      if (split > 0 && split < words.size() - 1) {
        int left = test(words.subList(0, split), err);
        int right = test(words.subList(split + 1, words.size()), err);
        boolean both = left == 0 && right == 0;
        return (operator.equals("-a") ? both : left == 0 || right == 0) ? 0 : 1;
      }
    }
    if (words.getFirst().equals("!") && words.size() > 1) {
      return test(words.subList(1, words.size()), err) == 0 ? 1 : 0;
    }
    return switch (words.size()) {
      case 1 -> words.getFirst().isEmpty() ? 1 : 0;
      case 2 -> unary(words.getFirst(), words.getLast(), err);
      case 3 -> binary(words.get(0), words.get(1), words.get(2), err);
      default -> {
        err.accept("sh: " + words.get(1) + ": unknown operand\n");
        yield 2;
      }
    };
  }

  private int unary(String operator, String operand, Consumer<String> err) {
    boolean holds =
        switch (operator) {
          case "-z" -> operand.isEmpty();
          case "-n" -> !operand.isEmpty();
          case "-d" -> context.files().isDirectory(operand);
          case "-f", "-r", "-w" -> context.files().read(operand) != null;
          case "-e" ->
              context.files().read(operand) != null || context.files().isDirectory(operand);
          case "-x" -> context.canExecute(operand.substring(operand.lastIndexOf('/') + 1));
          case "-s" -> {
            byte[] content = context.files().read(operand);
            yield content != null && content.length > 0;
          }
          default -> {
            err.accept("sh: " + operand + ": unknown operand\n");
            yield false;
          }
        };
    return holds ? 0 : 1;
  }

  private static int binary(String left, String operator, String right, Consumer<String> err) {
    return switch (operator) {
      case "=", "==" -> left.equals(right) ? 0 : 1;
      case "!=" -> left.equals(right) ? 1 : 0;
      case "-eq", "-ne", "-lt", "-le", "-gt", "-ge" ->
          compare(left.strip(), operator, right.strip(), err);
      default -> {
        err.accept("sh: " + operator + ": unknown operand\n");
        yield 2;
      }
    };
  }

  private static int compare(String left, String operator, String right, Consumer<String> err) {
    for (String operand : List.of(left, right)) {
      if (!operand.matches("-?[0-9]{1,18}")) {
        err.accept("sh: " + operand + ": bad number\n");
        return 2;
      }
    }
    int order = Long.compare(Long.parseLong(left), Long.parseLong(right));
    boolean holds =
        switch (operator) {
          case "-eq" -> order == 0;
          case "-ne" -> order != 0;
          case "-lt" -> order < 0;
          case "-le" -> order <= 0;
          case "-gt" -> order > 0;
          default -> order >= 0;
        };
    return holds ? 0 : 1;
  }
}
