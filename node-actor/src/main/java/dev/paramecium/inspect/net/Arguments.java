package dev.paramecium.inspect.net;

import dev.paramecium.inspect.ToolError;
import java.util.Iterator;
import java.util.List;

/** A command line that is taken word by word, as iproute2 does. */
final class Arguments {

  /** iproute2 leaves with -1 for a command line that it does not understand. */
  static final int USAGE = 255;

  private final Iterator<String> words;

  Arguments(List<String> words) {
    this.words = words.iterator();
  }

  boolean hasNext() {
    return words.hasNext();
  }

  String next() {
    if (!words.hasNext()) {
      throw new ToolError(USAGE, "Command line is not complete. Try option \"help\"");
    }
    return words.next();
  }

  /** Whether {@code word} is a non-empty beginning of {@code command}. */
  static boolean matches(String word, String command) {
    return !word.isEmpty() && command.startsWith(word);
  }

  static ToolError duplicate(String key, String word) {
    return new ToolError(
        USAGE, "Error: either \"" + key + "\" is duplicate, or \"" + word + "\" is a garbage.");
  }

  static ToolError noSuchDevice(String name) {
    return new ToolError(1, "Device \"" + name + "\" does not exist.");
  }

  static ToolError cannotFindDevice(String name) {
    return new ToolError(1, "Cannot find device \"" + name + "\"");
  }

  /** For commands that would change the kernel. */
  static ToolError readOnly(String command) {
    return new ToolError(
        2,
        command
            + ": this tool only shows; links, addresses and routes of a node are set by its"
            + " kubelet and cilium-agent");
  }
}
