package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.ProcessContext;
import java.util.List;
import java.util.function.Consumer;

/**
 * {@code test} and {@code [} (POSIX.1), as a shell's builtin and as a program of its own.
 *
 * @see Builtins
 */
public final class TestExpression {

  private final ProcessContext context;
  private final String name;
  private final Consumer<String> err;

  TestExpression(ProcessContext context, String name, Consumer<String> err) {
    this.context = context;
    this.name = name;
    this.err = err;
  }

  /** The program. */
  public static int program(ProcessContext context) {
    return new TestExpression(context, context.argv().getFirst(), context::printError)
        .run(context.argv());
  }

  /** Of a whole command line; {@code [} wants its {@code ]}. */
  int run(List<String> words) {
    List<String> arguments = words.subList(1, words.size());
    if (!words.getFirst().endsWith("[")) {
      return test(arguments);
    }
    if (arguments.isEmpty() || !arguments.getLast().equals("]")) {
      err.accept(name + ": [: missing ]\n");
      return 2;
    }
    return test(arguments.subList(0, arguments.size() - 1));
  }

  /** {@code test}: 0 true, 1 false, 2 not an expression. */
  private int test(List<String> words) {
    if (words.isEmpty()) {
      return 1;
    }
    for (String operator : List.of("-o", "-a")) {
      int split = words.lastIndexOf(operator);
      if (split > 0 && split < words.size() - 1) {
        int left = test(words.subList(0, split));
        int right = test(words.subList(split + 1, words.size()));
        boolean both = left == 0 && right == 0;
        return (operator.equals("-a") ? both : left == 0 || right == 0) ? 0 : 1;
      }
    }
    if (words.getFirst().equals("!") && words.size() > 1) {
      return test(words.subList(1, words.size())) == 0 ? 1 : 0;
    }
    return switch (words.size()) {
      case 1 -> words.getFirst().isEmpty() ? 1 : 0;
      case 2 -> unary(words.getFirst(), words.getLast());
      case 3 -> binary(words.get(0), words.get(1), words.get(2));
      default -> {
        err.accept(name + ": " + words.get(1) + ": unknown operand\n");
        yield 2;
      }
    };
  }

  private int unary(String operator, String operand) {
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
            err.accept(name + ": " + operand + ": unknown operand\n");
            yield false;
          }
        };
    return holds ? 0 : 1;
  }

  private int binary(String left, String operator, String right) {
    return switch (operator) {
      case "=", "==" -> left.equals(right) ? 0 : 1;
      case "!=" -> left.equals(right) ? 1 : 0;
      case "-eq", "-ne", "-lt", "-le", "-gt", "-ge" ->
          compare(left.strip(), operator, right.strip());
      default -> {
        err.accept(name + ": " + operator + ": unknown operand\n");
        yield 2;
      }
    };
  }

  private int compare(String left, String operator, String right) {
    for (String operand : List.of(left, right)) {
      if (!operand.matches("-?[0-9]{1,18}")) {
        err.accept(name + ": " + operand + ": bad number\n");
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
