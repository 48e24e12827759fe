package dev.paramecium.container.process.coreutils;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;

/** {@code sleep 365d}, {@code sleep 1.5}, {@code sleep infinity}: the sum of its arguments. */
final class Sleep implements Process {

  private final ProcessContext context;

  private Sleep(ProcessContext context) {
    this.context = context;
  }

  static Process start(ProcessContext context) {
    Sleep sleep = new Sleep(context);
    if (context.argv().size() == 1) {
      context.printError("sleep: missing operand\n");
      context.exit(1);
      return sleep;
    }
    double seconds = 0;
    for (String word : context.argv().subList(1, context.argv().size())) {
      double interval = seconds(word);
      if (Double.isNaN(interval)) {
        context.printError("sleep: invalid number '" + word + "'\n");
        context.exit(1);
        return sleep;
      }
      seconds += interval;
    }
    // A process that sleeps for longer than a century is as good as one that never wakes.
    if (seconds < 3.2e9) {
      context.sockets().schedule((long) Math.ceil(seconds * 1000), () -> context.exit(0));
    }
    return sleep;
  }

  /** An interval with its unit in seconds, NaN if it is not one. */
  static double seconds(String text) {
    if (text.equals("infinity") || text.equals("inf")) {
      return Double.POSITIVE_INFINITY;
    }
    if (text.isEmpty()) {
      return Double.NaN;
    }
    int unit =
        switch (text.charAt(text.length() - 1)) {
          case 's' -> 1;
          case 'm' -> 60;
          case 'h' -> 3600;
          case 'd' -> 86400;
          default -> 0;
        };
    String number = unit == 0 ? text : text.substring(0, text.length() - 1);
    if (!number.matches("[0-9]+(\\.[0-9]*)?|\\.[0-9]+")) {
      return Double.NaN;
    }
    return Double.parseDouble(number) * Math.max(1, unit);
  }

  /** As process 1 of a container, too: the pod's grace period is not slept through. */
  @Override
  public void signal(int number) {
    context.exit(Signals.exitCode(number));
  }
}
