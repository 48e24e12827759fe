package dev.paramecium.container;

import dev.paramecium.container.process.OutputQueue;
import dev.paramecium.syscall.ExecInput;
import dev.paramecium.syscall.ExecOutput;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * One client that is joined to a container's main process: it hears what the process writes and
 * types what the process reads. A client that is behind holds the process up, as a full pipe does.
 */
final class AttachSession {

  private final Container container;
  private final ActorRef<ExecOutput> client;
  private final OutputQueue output;
  private final Runnable ended;
  private boolean behind;

  AttachSession(Container container, ActorRef<ExecOutput> client, Runnable ended) {
    this.container = container;
    this.client = client;
    this.output = new OutputQueue(client);
    this.ended = ended;
  }

  void write(int stream, byte[] bytes) {
    behind = !output.write(stream, bytes);
  }

  boolean isBehind() {
    return behind;
  }

  /** The main process ended. */
  void exited(int code) {
    output.end(code);
    endIfTold();
  }

  private void endIfTold() {
    if (output.isDone()) {
      ended.run();
    }
  }

  void input(ExecInput message) {
    switch (message) {
      case ExecInput.Ack(int messages) -> {
        if (output.acknowledged(messages)) {
          behind = false;
          container.caughtUp();
        }
        endIfTold();
      }
      case ExecInput.Stdin(byte[] bytes) -> {
        container.input(bytes);
        client.tell(new ExecOutput.Ack(1));
      }
      case ExecInput.CloseStdin() -> container.inputEnded();
      case ExecInput.Resize(int columns, int rows) -> container.resized(columns, rows);
      case ExecInput.Signal _ -> leave(); // the client is gone; the process is not its own
    }
  }

  void clientGone() {
    leave();
  }

  private void leave() {
    behind = false;
    container.detach(this);
    output.discard();
    ended.run();
  }
}
