package dev.paramecium.container.process.shell;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code $((…))}: integers, variables, and the operators {@code + - * / % < > <= >= == !=}. */
final class Arithmetic {

  private static final int MAX_TERMS = 200;

  private static final List<List<String>> LEVELS =
      List.of(
          List.of("==", "!="),
          List.of("<=", ">=", "<", ">"),
          List.of("+", "-"),
          List.of("*", "/", "%"));

  private final String text;
  private final Variables variables;
  private int at;
  private int depth;

  Arithmetic(String text, Variables variables) {
    this.text = text;
    this.variables = variables;
  }

  /** The value; what is not an expression counts as far as it is one, and nothing as 0. */
  long value() {
    return binary(0);
  }

  private void skipBlanks() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private @Nullable String operator(int level) {
    skipBlanks();
    for (String operator : LEVELS.get(level)) {
      if (text.startsWith(operator, at)) {
        at += operator.length();
        return operator;
      }
    }
    return null;
  }

  private long binary(int level) {
    if (level == LEVELS.size()) {
      return unary();
    }
    long left = binary(level + 1);
    String operator = operator(level);
    while (operator != null) {
      long right = binary(level + 1);
      left =
          switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> right == 0 ? 0 : left / right;
            case "%" -> right == 0 ? 0 : left % right;
            case "<" -> left < right ? 1 : 0;
            case ">" -> left > right ? 1 : 0;
            case "<=" -> left <= right ? 1 : 0;
            case ">=" -> left >= right ? 1 : 0;
            case "==" -> left == right ? 1 : 0;
            default -> left != right ? 1 : 0;
          };
      operator = operator(level);
    }
    return left;
  }

  private long unary() {
    skipBlanks();
    if (at >= text.length() || ++depth > MAX_TERMS) {
      return 0;
    }
    char c = text.charAt(at);
    if (c == '-') {
      at++;
      return -unary();
    }
    if (c == '(') {
      at++;
      long inside = binary(0);
      skipBlanks();
      at++;
      return inside;
    }
    if (c == '$') {
      at++;
    }
    int start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_')) {
      at++;
    }
    String word = text.substring(start, at);
    if (word.isEmpty()) {
      return 0;
    }
    String value = Character.isDigit(word.charAt(0)) ? word : variables.get(word);
    return value != null && value.matches("-?[0-9]{1,18}") ? Long.parseLong(value) : 0;
  }
}
