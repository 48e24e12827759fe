package dev.paramecium.container.process.server;

import dev.paramecium.container.process.ProcessContext;
import java.nio.charset.StandardCharsets;

/**
 * Prints what a component does that runs elsewhere and that a container shows: it is told to the
 * container in a file.
 */
final class ComponentLog {

  /** Lines that are to be printed, each after its number and a space; numbers only grow. */
  static final String FILE = "/var/run/cilium/component.log";

  private final ProcessContext context;
  private long printed;

  ComponentLog(ProcessContext context) {
    this.context = context;
  }

  /** Prints what is there, and from now on what is added. */
  void follow() {
    context.files().watch(FILE, this::print);
    print();
  }

  /** Whether anything was heard of the component. */
  boolean hasBegun() {
    return printed > 0;
  }

  private void print() {
    byte[] text = context.files().read(FILE);
    if (text == null) {
      return;
    }
    StringBuilder fresh = new StringBuilder();
    for (String line : new String(text, StandardCharsets.UTF_8).split("\n", -1)) {
      int space = line.indexOf(' ');
      long number = space < 0 ? 0 : Long.parseLong(line, 0, space, 10);
      if (number > printed) {
        printed = number;
        fresh.append(line, space + 1, line.length()).append('\n');
      }
    }
    context.print(fresh.toString());
  }
}
