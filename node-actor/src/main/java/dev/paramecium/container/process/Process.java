package dev.paramecium.container.process;

/** A running program, as its namespace's actor drives it. No call comes after it exited. */
public interface Process {

  /** Input. Only called if the process was started with stdin. */
  default void stdin(byte[] bytes) {}

  default void stdinClosed() {}

  default void resized(int columns, int rows) {}

  /** stdout has room again after a {@link ProcessContext#stdout} that answered false. */
  default void outputDrained() {}

  /**
   * A signal by Linux's number. The process must let go of its sockets and timers and exit with 128
   * + number, unless it handles the signal.
   */
  void signal(int number);
}
