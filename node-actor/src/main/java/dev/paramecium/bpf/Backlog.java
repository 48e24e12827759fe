package dev.paramecium.bpf;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * The bound of a queue of packets between two actors, as {@code net.core.netdev_max_backlog} is one
 * between a driver and the stack. A mailbox has no limit of its own: the sender reserves room
 * before it sends, the receiver gives it back when it has taken the packets.
 *
 * <pre>
 *   sender --reserve(n): yes--&gt; [ mailbox ] --&gt; receiver, done(n)
 *                     no: counted, and the sender drops
 * </pre>
 */
public final class Backlog {

  private final int limit;
  private final AtomicInteger waiting = new AtomicInteger();
  private final LongAdder dropped = new LongAdder();

  /**
   * @param limit how many packets may wait
   */
  public Backlog(int limit) {
    if (limit < 1) {
      throw new IllegalArgumentException("a backlog of " + limit + " packets: allow at least 1");
    }
    this.limit = limit;
  }

  /** Takes room for {@code count} packets, all or none; none is counted as that many drops. */
  public boolean reserve(int count) {
    if (waiting.addAndGet(count) > limit) {
      waiting.addAndGet(-count);
      dropped.add(count);
      return false;
    }
    return true;
  }

  /** Gives room back. */
  public void done(int count) {
    waiting.addAndGet(-count);
  }

  public int waiting() {
    return waiting.get();
  }

  /** How many packets found no room so far. */
  public long dropped() {
    return dropped.sum();
  }
}
