package dev.paramecium.apiserver.rest;

import dev.paramecium.syscall.ExecInput;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.IntConsumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * A client's input on its way to a process: it waits here until the process runs, and goes on as
 * the process gives credit for it ({@link ExecInput#WINDOW}).
 */
final class InputQueue {

  private final IntConsumer passedOn;
  private final Deque<ExecInput> waiting = new ArrayDeque<>();
  private int credit = ExecInput.WINDOW;
  private @Nullable ActorRef<ExecInput> process;

  /**
   * @param passedOn gets how many bytes wait here no longer
   */
  InputQueue(IntConsumer passedOn) {
    this.passedOn = passedOn;
  }

  /** The process runs. */
  void connect(ActorRef<ExecInput> started) {
    process = started;
    passOn();
  }

  boolean isConnected() {
    return process != null;
  }

  void stdin(byte[] bytes) {
    for (int from = 0; from < bytes.length; from += ExecInput.MAX_BYTES) {
      int to = Math.min(bytes.length, from + ExecInput.MAX_BYTES);
      boolean whole = to - from == bytes.length;
      waiting.add(new ExecInput.Stdin(whole ? bytes : Arrays.copyOfRange(bytes, from, to)));
    }
    passOn();
  }

  void closeStdin() {
    waiting.add(new ExecInput.CloseStdin());
    passOn();
  }

  /** The process has read messages. */
  void acknowledged(int messages) {
    credit += messages;
    passOn();
  }

  /** Tells the process what must not wait behind input. */
  void tell(ExecInput input) {
    ActorRef<ExecInput> to = process;
    if (to == null) {
      waiting.add(input);
    } else {
      to.tell(input);
    }
  }

  private void passOn() {
    ActorRef<ExecInput> to = process;
    while (to != null && !waiting.isEmpty()) {
      if (waiting.peek() instanceof ExecInput.Stdin(byte[] bytes)) {
        if (credit == 0) {
          break;
        }
        credit--;
        passedOn.accept(bytes.length);
      }
      to.tell(waiting.remove());
    }
  }
}
