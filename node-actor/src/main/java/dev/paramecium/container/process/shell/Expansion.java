package dev.paramecium.container.process.shell;

import dev.paramecium.container.process.shell.Node.Part;
import dev.paramecium.container.process.shell.Node.Word;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * Word expansion (POSIX.1, 2.6) with the results of command substitutions at hand: parameters,
 * arithmetic, field splitting, quote removal.
 */
final class Expansion {

  private final Variables variables;
  private final IdentityHashMap<Part.Command, String> substituted;

  /**
   * @param substituted what each command substitution printed, without trailing newlines
   */
  Expansion(Variables variables, IdentityHashMap<Part.Command, String> substituted) {
    this.variables = variables;
    this.substituted = substituted;
  }

  /** The fields that words become. */
  List<String> fields(List<Word> words) {
    List<String> fields = new ArrayList<>();
    for (Word word : words) {
      fields(word, fields);
    }
    return fields;
  }

  private void fields(Word word, List<String> fields) {
    StringBuilder field = new StringBuilder();
    boolean open = false;
    for (Part part : word.parts()) {
      if (part instanceof Part.Variable(var name, var _, var _, var quoted)
          && name.equals("@")
          && quoted) {
        List<String> positional = variables.positional();
        for (int i = 0; i < positional.size(); i++) {
          if (i > 0) {
            fields.add(field.toString());
            field.setLength(0);
          }
          field.append(positional.get(i));
          open = true;
        }
        continue;
      }
      String value = value(part);
      if (isQuoted(part)) {
        field.append(value);
        open = true;
        continue;
      }
      if (part instanceof Part.Text) {
        field.append(value);
        open = true;
        continue;
      }
      for (int i = 0; i < value.length(); i++) {
        char c = value.charAt(i);
        if (c == ' ' || c == '\t' || c == '\n') {
          if (open) {
            fields.add(field.toString());
            field.setLength(0);
            open = false;
          }
        } else {
          field.append(c);
          open = true;
        }
      }
    }
    if (open) {
      fields.add(field.toString());
    }
  }

  /** A word as one text, as in an assignment. */
  String text(Word word) {
    StringBuilder text = new StringBuilder();
    word.parts().forEach(part -> text.append(value(part)));
    return text.toString();
  }

  private static boolean isQuoted(Part part) {
    return switch (part) {
      case Part.Text(var _, var quoted) -> quoted;
      case Part.Variable(var _, var _, var _, var quoted) -> quoted;
      case Part.Command(var _, var quoted) -> quoted;
      case Part.Arithmetic(var _, var quoted) -> quoted;
    };
  }

  private String value(Part part) {
    return switch (part) {
      case Part.Text(var text, var _) -> text;
      case Part.Variable variable -> variable(variable);
      case Part.Command command -> substituted.getOrDefault(command, "");
      case Part.Arithmetic(var expression, var _) ->
          String.valueOf(new Arithmetic(expression, variables).value());
    };
  }

  private String variable(Part.Variable part) {
    String value = variables.get(part.name());
    boolean empty = value == null || value.isEmpty();
    return switch (part.operator()) {
      case "#" -> String.valueOf(value == null ? 0 : value.length());
      case ":-" -> empty ? part.otherwise() : String.valueOf(value);
      case ":+" -> empty ? "" : part.otherwise();
      case "-" -> value == null ? part.otherwise() : value;
      case ":=" -> {
        if (empty) {
          variables.set(part.name(), part.otherwise());
        }
        yield empty ? part.otherwise() : String.valueOf(value);
      }
      default -> value == null ? "" : value;
    };
  }
}
