package dev.paramecium.syscall;

/**
 * How a command ended.
 *
 * @param output the first {@link #MAX_OUTPUT} bytes of stdout and stderr, as they came
 */
public record ExecResult(int exitCode, String output) {

  /** How much output is kept ({@code maxReadLength} of {@code pkg/probe/exec}). */
  public static final int MAX_OUTPUT = 10 * 1024;
}
