package dev.paramecium.syscall;

/** What whoever started a command says to it. */
public sealed interface ExecInput {

  /** Bytes for stdin. */
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
