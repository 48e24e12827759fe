package dev.paramecium.container.process;

import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * One command that someone outside the namespace runs in it: carries its output and its input under
 * the credit schemes of {@link ExecOutput} and {@link ExecInput}. A terminal sits between if the
 * request has one.
 *
 * <pre>
 *   client  --ExecInput--&gt;   (Terminal)  --&gt;  process
 *           &lt;--ExecOutput--  OutputQueue &lt;--
 * </pre>
 */
public final class ExecSession {

  private final ProcessTable table;
  private final ActorRef<ExecOutput> client;
  private final OutputQueue output;
  private final Runnable ended;
  private @Nullable RunningProcess process;
  private @Nullable Terminal terminal;

  /** Messages of input that the client has no credit for yet. */
  private int unreadInput;

  private ExecSession(ProcessTable table, ActorRef<ExecOutput> client, Runnable ended) {
    this.table = table;
    this.client = client;
    this.output = new OutputQueue(client);
    this.ended = ended;
  }

  /**
   * Starts the command and tells the client Started or Refused.
   *
   * @param input where the client's {@link ExecInput} arrives; its owner passes it to {@link
   *     #input}
   * @param ended called once, when the client has been told how it ended
   * @return null if it was refused
   */
  public static @Nullable ExecSession start(
      ProcessTable table,
      ExecRequest request,
      ActorRef<ExecOutput> client,
      ActorRef<ExecInput> input,
      Runnable ended) {
    if (table.find(request.argv()) == null) {
      client.tell(
          new ExecOutput.Refused(
              Errno.ENOENT,
              "OCI runtime exec failed: exec failed: " + ProcessTable.notFound(request.argv())));
      return null;
    }
    ExecSession session = new ExecSession(table, client, ended);
    client.tell(new ExecOutput.Started(input));
    session.start(request);
    return session;
  }

  private void start(ExecRequest request) {
    Terminal line = request.tty() ? new Terminal(this::write) : null;
    terminal = line;
    RunningProcess started =
        table.start(
            request.argv(),
            request.stdin(),
            request.tty(),
            (stream, bytes) -> line == null ? write(stream, bytes) : line.output(bytes),
            this::exited);
    process = started;
    if (started != null) {
      started.onDrained(this::acknowledgeInput);
    }
    if (line != null && started != null) {
      line.attach(started);
    }
  }

  private boolean write(int stream, byte[] bytes) {
    return output.write(stream, bytes);
  }

  private void exited(int code) {
    output.end(code);
    if (output.isDone()) {
      ended.run();
    }
  }

  /** What the client says. */
  public void input(ExecInput message) {
    RunningProcess running = process;
    if (running == null) {
      return;
    }
    switch (message) {
      case ExecInput.Ack(int messages) -> acknowledged(running, messages);
      case ExecInput.Stdin(byte[] bytes) -> stdin(running, bytes);
      case ExecInput.CloseStdin() -> running.closeStdin();
      case ExecInput.Resize(int columns, int rows) -> running.resized(columns, rows);
      case ExecInput.Signal(int number) -> {
        if (number == Signals.SIGKILL) {
          table.killTree(running);
        } else {
          running.signal(number);
        }
      }
    }
  }

  private void stdin(RunningProcess running, byte[] bytes) {
    unreadInput++;
    if (unreadInput > ExecInput.WINDOW) {
      running.printError(
          "the client sent more than "
              + ExecInput.WINDOW
              + " messages of input without waiting until they were read: killed\n");
      table.killTree(running);
      return;
    }
    Terminal line = terminal;
    if (line != null) {
      line.input(bytes); // what nobody reads is the terminal's to drop: Ctrl-C must get through
      acknowledgeInput();
    } else if (bytes.length == 0 || running.stdin(bytes)) {
      acknowledgeInput();
    }
  }

  private void acknowledgeInput() {
    if (unreadInput > 0 && !output.isDone()) {
      client.tell(new ExecOutput.Ack(unreadInput));
    }
    unreadInput = 0;
  }

  private void acknowledged(RunningProcess running, int messages) {
    boolean done = output.isDone();
    if (output.acknowledged(messages)) {
      running.drained();
    }
    if (!done && output.isDone()) {
      ended.run();
    }
  }

  /** The client is gone: no one reads any more. */
  public void clientGone() {
    output.discard();
    if (process != null && process.isRunning()) {
      table.killTree(process);
    } else if (!output.isDone()) {
      ended.run();
    }
  }
}
