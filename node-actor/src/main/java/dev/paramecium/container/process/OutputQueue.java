package dev.paramecium.container.process;

import dev.paramecium.syscall.ExecOutput;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Output on its way to a client: at most {@link ExecOutput#WINDOW} messages are unacknowledged, the
 * rest waits here, joined to messages of up to {@link #MESSAGE} bytes.
 */
public final class OutputQueue {

  /** The most bytes of one {@link ExecOutput.Data}. */
  static final int MESSAGE = 32768;

  /** What may wait before the writer is told to. */
  static final int CAPACITY = 65536;

  private static final class Chunk {
    final int stream;
    byte[] bytes;
    int count;

    Chunk(int stream, byte[] bytes) {
      this.stream = stream;
      this.bytes = bytes;
      this.count = bytes.length;
    }
  }

  private final ActorRef<ExecOutput> client;
  private final Deque<Chunk> waiting = new ArrayDeque<>();
  private int waitingBytes;
  private int inFlight;
  private boolean writerWaits;
  private boolean discarding;
  private @Nullable ExecOutput last;
  private boolean done;

  public OutputQueue(ActorRef<ExecOutput> client) {
    this.client = client;
  }

  /** Takes bytes, which must not change afterwards; false when the writer should wait. */
  public boolean write(int stream, byte[] bytes) {
    if (discarding || last != null) {
      return true;
    }
    for (int from = 0; from < bytes.length; from += MESSAGE) {
      int to = Math.min(bytes.length, from + MESSAGE);
      append(stream, from == 0 && to == bytes.length ? bytes : Arrays.copyOfRange(bytes, from, to));
    }
    send();
    writerWaits = waitingBytes >= CAPACITY;
    return !writerWaits;
  }

  private void append(int stream, byte[] bytes) {
    waitingBytes += bytes.length;
    Chunk tail = waiting.peekLast();
    if (tail == null || tail.stream != stream || tail.count + bytes.length > MESSAGE) {
      waiting.add(new Chunk(stream, bytes));
      return;
    }
    if (tail.count + bytes.length > tail.bytes.length) {
      tail.bytes = Arrays.copyOf(tail.bytes, Math.min(MESSAGE, 2 * (tail.count + bytes.length)));
    }
    System.arraycopy(bytes, 0, tail.bytes, tail.count, bytes.length);
    tail.count += bytes.length;
  }

  private void send() {
    while (inFlight < ExecOutput.WINDOW) {
      Chunk next = waiting.poll();
      if (next == null) {
        break;
      }
      waitingBytes -= next.count;
      inFlight++;
      byte[] bytes =
          next.count == next.bytes.length ? next.bytes : Arrays.copyOf(next.bytes, next.count);
      client.tell(new ExecOutput.Data(next.stream, bytes));
    }
    if (last != null && waiting.isEmpty() && !done) {
      done = true;
      client.tell(last);
    }
  }

  /**
   * The client took messages.
   *
   * @return whether a writer that was told to wait may go on
   */
  public boolean acknowledged(int messages) {
    inFlight = Math.max(0, inFlight - Math.max(0, messages));
    send();
    if (writerWaits && waitingBytes < CAPACITY / 2) {
      writerWaits = false;
      return true;
    }
    return false;
  }

  /** No output follows; the client hears the exit code after all output. */
  public void end(int exitCode) {
    if (last == null) {
      last = new ExecOutput.Exited(exitCode);
      send();
    }
  }

  /** The client is gone. */
  public void discard() {
    discarding = true;
    waiting.clear();
    waitingBytes = 0;
  }

  /** Whether the client was told how it ended. */
  public boolean isDone() {
    return done;
  }
}
