package dev.paramecium.inspect;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What passes from the kernel to a tool that follows it: bounded, and what does not fit is counted,
 * as in a packet socket's receive buffer.
 *
 * <pre>
 *   any thread: offer --&gt; [ | | | | ] --&gt; poll: the reader's thread
 *                 |                            ^
 *                 +-- first one wakes ---------+
 * </pre>
 */
public final class EventQueue<T> {

  private final ArrayBlockingQueue<T> events;
  private final Executor executor;
  private final Runnable reader;
  private final AtomicBoolean woken = new AtomicBoolean();
  private final LongAdder lost = new LongAdder();

  /**
   * @param executor runs {@code reader} on the reader's thread; is called from any thread
   * @param reader takes what there is with {@link #poll}; may leave some, and call {@link #wake}
   *     when it can go on
   */
  public EventQueue(int capacity, Executor executor, Runnable reader) {
    this.events = new ArrayBlockingQueue<>(capacity);
    this.executor = executor;
    this.reader = reader;
  }

  /** Gives an event away; answers false if there was no room, and counts it as lost. */
  public boolean offer(T event) {
    boolean taken = events.offer(event);
    if (!taken) {
      lost.increment();
    }
    if (taken && woken.compareAndSet(false, true)) {
      wake();
    }
    return taken;
  }

  /** The oldest event, or null. Only the reader calls this. */
  public @Nullable T poll() {
    return events.poll();
  }

  /** Runs the reader soon. */
  public void wake() {
    executor.execute(
        () -> {
          woken.set(false);
          reader.run();
        });
  }

  /** How many events found no room so far. */
  public long lost() {
    return lost.sum();
  }
}
