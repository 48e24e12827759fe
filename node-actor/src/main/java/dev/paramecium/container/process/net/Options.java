package dev.paramecium.container.process.net;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A command line in the manner of getopt(3): {@code -c 3}, {@code -c3}, {@code -nq}, operands. */
final class Options {

  /** A command line that the program refuses; the message says why. */
  static final class InvalidOptionException extends Exception {
    private static final long serialVersionUID = 1L;

    InvalidOptionException(String message) {
      super(message);
    }
  }

  private final Map<Character, String> values = new HashMap<>();
  private final List<String> operands = new ArrayList<>();

  /**
   * Parses.
   *
   * @param optstring as getopt's: a letter for each option, followed by a colon if it has a value
   */
  static Options parse(List<String> arguments, String optstring) throws InvalidOptionException {
    Options options = new Options();
    for (int i = 0; i < arguments.size(); i++) {
      String word = arguments.get(i);
      if (!word.startsWith("-") || word.length() == 1) {
        options.operands.add(word);
        continue;
      }
      for (int at = 1; at < word.length(); at++) {
        char letter = word.charAt(at);
        int known = letter == ':' ? -1 : optstring.indexOf(letter);
        if (known < 0) {
          throw new InvalidOptionException("invalid option -- '" + letter + "'");
        }
        if (known + 1 == optstring.length() || optstring.charAt(known + 1) != ':') {
          options.values.put(letter, "");
          continue;
        }
        String value = word.substring(at + 1);
        if (value.isEmpty()) {
          if (++i == arguments.size()) {
            throw new InvalidOptionException("option requires an argument -- '" + letter + "'");
          }
          value = arguments.get(i);
        }
        options.values.put(letter, value);
        break;
      }
    }
    return options;
  }

  boolean has(char option) {
    return values.containsKey(option);
  }

  List<String> operands() {
    return operands;
  }

  String text(char option, String otherwise) {
    return values.getOrDefault(option, otherwise);
  }

  int number(char option, int otherwise, int least, int most) throws InvalidOptionException {
    String text = values.get(option);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("[0-9]{1,9}")
        || Integer.parseInt(text) < least
        || Integer.parseInt(text) > most) {
      throw new InvalidOptionException(
          "invalid argument: '" + text + "': out of range: " + least + " - " + most);
    }
    return Integer.parseInt(text);
  }

  /** An interval given in seconds, with a fraction or without, in milliseconds. */
  long millis(char option, long otherwise) throws InvalidOptionException {
    String text = values.get(option);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("[0-9]{1,6}(\\.[0-9]{1,9})?|\\.[0-9]{1,9}")) {
      throw new InvalidOptionException("invalid argument: '" + text + "'");
    }
    return Math.round(Double.parseDouble(text) * 1000);
  }
}
