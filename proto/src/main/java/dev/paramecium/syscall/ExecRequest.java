package dev.paramecium.syscall;

import java.util.List;

/**
 * A command to run.
 *
 * @param containerId where; empty for the node itself, as root in the host's namespaces
 * @param argv the program and its arguments, as typed
 * @param stdin whether input follows
 * @param tty whether the other end is a terminal
 */
public record ExecRequest(String containerId, List<String> argv, boolean stdin, boolean tty) {

  public ExecRequest {
    argv = List.copyOf(argv);
  }

  /** The same command elsewhere. */
  public ExecRequest on(String container) {
    return new ExecRequest(container, argv, stdin, tty);
  }
}
