package dev.paramecium.deploy;

import dev.paramecium.deploy.command.ParameciumCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/**
 * The command's entry point: parses, runs, and turns every failure into a sentence and an exit
 * code.
 */
public final class Paramecium {

  private Paramecium() {}

  public static void main(String[] args) {
    System.exit(run(args));
  }

  /**
   * Runs one command line and answers its exit code: 0 done, 1 false or failed, 2 wrong usage, 3 no
   * cluster.
   */
  public static int run(String... args) {
    CommandLine commandLine = new CommandLine(new ParameciumCommand());
    commandLine.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    commandLine.setStopAtPositional(false);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setExecutionExceptionHandler(
        (failure, command, _) -> {
          switch (failure) {
            case UserError error -> {
              command.getErr().println("paramecium: " + error.getMessage());
              return error.exitCode();
            }
            default -> {
              command.getErr().println("paramecium: internal error: " + failure);
              if (System.getenv("PARAMECIUM_DEBUG") != null) {
                failure.printStackTrace(command.getErr());
              } else {
                command.getErr().println("Set PARAMECIUM_DEBUG=1 and run it again to see where.");
              }
              return UserError.FAILED;
            }
          }
        });
    commandLine.setParameterExceptionHandler(
        (failure, _) -> {
          CommandLine command = failure.getCommandLine();
          command.getErr().println("paramecium: " + failure.getMessage());
          command
              .getErr()
              .println("See '" + command.getCommandSpec().qualifiedName() + " --help'.");
          return UserError.USAGE;
        });
    return commandLine.execute(args);
  }
}
