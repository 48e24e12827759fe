package dev.paramecium.inspect.tcpdump;

import dev.paramecium.inspect.ToolError;
import java.util.ArrayList;
import java.util.List;

/** tcpdump's command line. */
final class Options {

  static final String VERSION = "tcpdump version 4.99.3\nlibpcap version 1.10.3 (with TPACKET_V3)";

  private static final String USAGE =
      VERSION
          + """

          Usage: tcpdump [-AdDehlnNpqStUvxX#] [ -c count ] [ -i interface ] [ -Q in|out|inout ]
          \t\t[ -r file ] [ -s snaplen ] [ -w file ] [ expression ]\
          """;

  static final int DEFAULT_SNAP_LENGTH = 262144;

  String device = "";
  String write = "";
  String read = "";
  String direction = "inout";
  String expression = "";
  int count;
  int snapLength = DEFAULT_SNAP_LENGTH;
  int numeric;
  int verbosity;
  int timeStyle;
  int hex;
  int ascii;
  boolean text;
  boolean link;
  boolean quiet;
  boolean absoluteSequence;
  boolean number;
  boolean listDevices;

  /**
   * @throws ToolError with tcpdump's words, also for --help and --version
   */
  static Options parse(List<String> words) {
    Options options = new Options();
    List<String> expression = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (word.equals("--help")) {
        throw new ToolError(0, USAGE);
      } else if (word.equals("--version")) {
        throw new ToolError(0, VERSION);
      } else if (word.equals("--number")) {
        options.number = true;
      } else if (word.equals("--list-interfaces")) {
        options.listDevices = true;
      } else if (word.startsWith("--interface=")) {
        options.device = word.substring("--interface=".length());
      } else if (word.startsWith("--")
          && !word.equals("--immediate-mode")
          && !word.startsWith("--time-stamp")) {
        throw new ToolError(1, "tcpdump: unrecognized option '" + word + "'\n" + USAGE);
      } else if (word.startsWith("-")
          && !word.startsWith("--")
          && word.length() > 1
          && expression.isEmpty()) {
        i = options.letters(words, i);
      } else if (!word.startsWith("--")) {
        expression.add(word);
      }
    }
    options.expression = String.join(" ", expression);
    return options;
  }

  /** One word of option letters; answers the index of the last word that it took. */
  private int letters(List<String> words, int index) {
    String word = words.get(index);
    for (int at = 1; at < word.length(); at++) {
      char letter = word.charAt(at);
      if ("icsrwQBCEFGjMTVWyzZ".indexOf(letter) < 0) {
        flag(letter);
        continue;
      }
      boolean attached = at + 1 < word.length();
      if (!attached && index + 1 == words.size()) {
        throw new ToolError(
            1, "tcpdump: option requires an argument -- '" + letter + "'\n" + USAGE);
      }
      argument(letter, attached ? word.substring(at + 1) : words.get(index + 1));
      return attached ? index : index + 1;
    }
    return index;
  }

  private void flag(char letter) {
    switch (letter) {
      case 'n' -> numeric++;
      case 'e' -> link = true;
      case 'v' -> verbosity++;
      case 't' -> timeStyle++;
      case 'q' -> quiet = true;
      case 'S' -> absoluteSequence = true;
      case 'x' -> hex++;
      case 'X' -> ascii++;
      case 'A' -> text = true;
      case 'D' -> listDevices = true;
      case '#' -> number = true;
      case 'h' -> throw new ToolError(0, USAGE);
      case 'l', 'U', 'p', 'K', 'N', 'O', 'f', 'u', 'b', 'L', 'I', 'J', 'H', 'a', 'R' -> {}
      default -> throw new ToolError(1, "tcpdump: invalid option -- '" + letter + "'\n" + USAGE);
    }
  }

  private void argument(char letter, String value) {
    switch (letter) {
      case 'i' -> device = value;
      case 'w' -> write = value;
      case 'r' -> read = value;
      case 'c' -> {
        count = number(value);
        if (count <= 0) {
          throw new ToolError(1, "tcpdump: invalid packet count " + value);
        }
      }
      case 's' -> {
        snapLength = number(value);
        if (snapLength < 0 || snapLength > DEFAULT_SNAP_LENGTH) {
          throw new ToolError(
              1,
              "tcpdump: invalid snaplen "
                  + value
                  + " (must be >= 0 and <= "
                  + DEFAULT_SNAP_LENGTH
                  + ")");
        }
        snapLength = snapLength == 0 ? DEFAULT_SNAP_LENGTH : snapLength;
      }
      case 'Q' -> {
        direction = value;
        if (!List.of("in", "out", "inout").contains(value)) {
          throw new ToolError(1, "tcpdump: unknown capture direction '" + value + "'");
        }
      }
      case 'B', 'j', 'y', 'Z', 'T' -> {}
      default ->
          throw new ToolError(
              1,
              "tcpdump: option -"
                  + letter
                  + " is not available on an emulated node; available are: "
                  + "-A -c -D -e -i -l -n -q -Q -r -s -S -t -v -w -x -X -#");
    }
  }

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
