package dev.paramecium.container.process;

/**
 * A running program, as its namespace's actor drives it. No call comes after it exited. Sockets and
 * timers that it leaves open are closed when it exits, as the kernel does.
 */
public interface Process {

  /** Input. Only called if the process was started with stdin, and reads it. */
  default void stdin(byte[] bytes) {}

  /**
   * End of input. Only called if the process was started with stdin, and reads it. At a terminal
   * more may follow.
   */
  default void stdinClosed() {}

  default void resized(int columns, int rows) {}

  /** stdout has room again after a {@link ProcessContext#stdout} that answered false. */
  default void outputDrained() {}

  /**
   * A signal by Linux's number, never SIGKILL. A process that does not handle it exits with 128 +
   * number.
   */
  void signal(int number);
}
