package dev.paramecium.agent.cli;

/** What a command printed and how it ended. */
public record CommandOutput(String stdout, String stderr, int exitCode) {

  static CommandOutput of(String stdout) {
    return new CommandOutput(stdout, "", 0);
  }

  /** As Cilium's commands fail: {@code Error: MESSAGE} on stderr, exit code 1. */
  static CommandOutput error(String message) {
    return new CommandOutput("", "Error: " + message + "\n", 1);
  }
}
