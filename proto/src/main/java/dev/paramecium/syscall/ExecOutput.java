package dev.paramecium.syscall;

import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a running command says to whoever started it.
 *
 * <p>Flow control: after {@link Started}, at most {@link #WINDOW} {@link Data} messages may be
 * unacknowledged; the receiver returns credit with {@link ExecInput.Ack}. A process whose output is
 * not acknowledged waits, as on a full pipe.
 */
public sealed interface ExecOutput {

  /** How many {@link Data} messages may be in flight. */
  int WINDOW = 64;

  /** The process runs and takes input at {@code input}. */
  record Started(ActorRef<ExecInput> input) implements ExecOutput {}

  /**
   * Output.
   *
   * @param stream 1 for stdout, 2 for stderr
   * @param bytes at most 64 KiB
   */
  record Data(int stream, byte[] bytes) implements ExecOutput {}

  /** {@code messages} {@link ExecInput.Stdin} were read, or are the terminal's now. */
  record Ack(int messages) implements ExecOutput {}

  /** The process ended; nothing follows. */
  record Exited(int exitCode) implements ExecOutput {}

  /** It could not be started; nothing follows. */
  record Refused(Errno errno, String message) implements ExecOutput {}
}
