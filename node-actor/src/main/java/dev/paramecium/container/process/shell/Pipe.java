package dev.paramecium.container.process.shell;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * pipe(7) inside one shell: bytes from one writer to one reader at a time. A writer that outruns
 * the reader is told to wait; one whose reader is gone is told so.
 */
final class Pipe {

  private static final int CAPACITY = 65536;

  /** Whoever reads. */
  interface Reader {

    /** Whether it reads now; {@link Pipe#resume} tells when that may have changed. */
    default boolean wants() {
      return true;
    }

    /** Takes bytes; false to get no more until {@link Pipe#resume}. */
    boolean take(byte[] bytes);

    /** No more comes; at a terminal, for this reader only. */
    void end();
  }

  private final Deque<byte[]> chunks = new ArrayDeque<>();
  private int bytes;
  private boolean ended;
  private boolean broken;
  private boolean waiting;
  private boolean delivering;
  private @Nullable Reader reader;
  private Runnable room = () -> {};
  private Runnable readerGone = () -> {};

  /**
   * Writes; an empty chunk is the end of input for who reads it, as Ctrl-D at a terminal, and not
   * for those after.
   *
   * @return false when full: the action of {@link #onRoom} tells when it is not
   */
  boolean write(byte[] chunk) {
    if (broken) {
      return true;
    }
    chunks.add(chunk);
    bytes += chunk.length;
    deliver();
    return bytes < CAPACITY;
  }

  void onRoom(Runnable action) {
    room = action;
  }

  void onReaderGone(Runnable action) {
    readerGone = action;
    if (broken) {
      action.run();
    }
  }

  /** The writer is done. */
  void end() {
    ended = true;
    deliver();
  }

  /** Who reads from now on, null for nobody yet. */
  void setReader(@Nullable Reader next) {
    reader = next;
    waiting = false;
    deliver();
  }

  void resume() {
    waiting = false;
    deliver();
  }

  /** Nobody will read any more: a writer gets SIGPIPE. */
  void breakReader() {
    if (!broken) {
      broken = true;
      reader = null;
      chunks.clear();
      bytes = 0;
      readerGone.run();
      room.run();
    }
  }

  /** Forgets what was not read yet, as a terminal does at Ctrl-C. */
  void flush() {
    chunks.clear();
    bytes = 0;
    room.run();
  }

  /** Puts bytes back that a reader took and did not use. */
  void unread(byte[] chunk) {
    if (chunk.length > 0) {
      chunks.addFirst(chunk);
      bytes += chunk.length;
    }
  }

  private void deliver() {
    if (delivering) {
      return;
    }
    delivering = true;
    boolean wasFull = bytes >= CAPACITY;
    while (reader != null && !waiting && reader.wants()) {
      byte[] next = chunks.poll();
      if (next == null) {
        break;
      }
      bytes -= next.length;
      Reader to = reader;
      if (next.length == 0) {
        reader = null;
        to.end();
        continue;
      }
      boolean more = to.take(next);
      if (!more && to.equals(reader)) {
        waiting = true;
      }
    }
    delivering = false;
    if (ended && chunks.isEmpty() && reader != null) {
      Reader to = reader;
      reader = null;
      to.end();
    }
    if (wasFull && bytes < CAPACITY) {
      room.run();
    }
  }
}
