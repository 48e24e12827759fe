package dev.paramecium.container.process.server;

import dev.paramecium.container.process.Process;
import dev.paramecium.container.process.ProcessContext;
import dev.paramecium.container.process.Signals;

/** {@code /pause}: does nothing until it is told to stop. */
public final class Pause {

  private Pause() {}

  public static Process start(ProcessContext context) {
    return number -> {
      boolean asked = number == Signals.SIGTERM || number == Signals.SIGINT;
      if (asked) {
        context.printError(
            "Shutting down, got signal: "
                + (number == Signals.SIGTERM ? "Terminated" : "Interrupt")
                + "\n");
      }
      context.exit(asked ? 0 : Signals.exitCode(number));
    };
  }
}
