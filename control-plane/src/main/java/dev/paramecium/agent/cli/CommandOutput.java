package dev.paramecium.agent.cli;

import dev.paramecium.syscall.AgentCall;

/** What a command printed and how it ended. */
public record CommandOutput(String stdout, String stderr, int exitCode) {

  static CommandOutput of(String stdout) {
    return new CommandOutput(stdout, "", 0);
  }

  /** As Cilium's commands fail: {@code Error: MESSAGE} on stderr, exit code 1. */
  public static CommandOutput error(String message) {
    return new CommandOutput("", "Error: " + message + "\n", 1);
  }

  /** The output as it crosses the agent's socket. */
  public AgentCall.Reply reply() {
    return new AgentCall.Reply(stdout, stderr, exitCode);
  }
}
