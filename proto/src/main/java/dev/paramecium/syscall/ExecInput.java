package dev.paramecium.syscall;

/**
 * What whoever started a command says to it.
 *
 * <p>Flow control: at most {@link #WINDOW} {@link Stdin} messages may be unacknowledged; the
 * command returns credit with {@link ExecOutput.Ack} as it reads.
 */
public sealed interface ExecInput {

  /** How many {@link Stdin} messages may be in flight. */
  int WINDOW = 32;

  /** The most bytes of one {@link Stdin}. */
  int MAX_BYTES = 65536;

  /**
   * Input.
   *
   * @param bytes at most {@link #MAX_BYTES}
   */
  record Stdin(byte[] bytes) implements ExecInput {}

  /** End of stdin. */
  record CloseStdin() implements ExecInput {}

  /** The terminal's size changed. */
  record Resize(int columns, int rows) implements ExecInput {}

  /** {@code messages} {@link ExecOutput.Data} were taken. */
  record Ack(int messages) implements ExecInput {}

  /** A signal, by Linux's number: 2 for Ctrl-C, 9 when the other end is gone. */
  record Signal(int number) implements ExecInput {}
}
