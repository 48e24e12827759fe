package dev.paramecium.container.stack;

import dev.paramecium.bpf.Sock;
import org.jspecify.annotations.Nullable;

/**
 * What a peer on the same node put into a socket's receive queue past all devices ({@code
 * sk_psock}'s {@code ingress_msg}): a bounded ring between two threads.
 *
 * <pre>
 *   the peer's thread --ingress--&gt; [ freed | read ... written ] --lend, giveBack--&gt; the owner's thread
 *                                   '--- at most LIMIT ---'
 * </pre>
 *
 * The owner reads the bytes in place, without the lock: the peer never touches what is lent and not
 * yet given back, and a ring that grew leaves the old one as it was.
 */
final class IngressQueue implements Sock {

  /** Twice net.ipv4.tcp_rmem's default. */
  static final int LIMIT = 256 << 10;

  private static final byte[] EMPTY = new byte[0];
  private static final int SMALLEST = 4096;

  /** Runs the owner's reading, on the owner's thread. */
  private final Runnable arrived;

  private byte[] ring = EMPTY;
  private long freed;
  private long read;
  private long written;
  private boolean signalled;
  private boolean closed;
  private @Nullable Runnable waiting;

  // The owner's alone.
  private byte[] lent = EMPTY;
  private int lentAt;

  IngressQueue(Runnable arrived) {
    this.arrived = arrived;
  }

  // ---- the peer's side

  @Override
  public int ingress(byte[] bytes, int from, int count, Runnable room) {
    boolean signal;
    int taken;
    synchronized (this) {
      if (closed) {
        return -1;
      }
      int size = (int) (written - freed);
      taken = Math.min(count, LIMIT - size);
      if (size + taken > ring.length) {
        grow(size + taken);
      }
      store(bytes, from, taken);
      if (taken < count) {
        waiting = room;
      }
      signal = taken > 0 && !signalled;
      signalled |= signal;
    }
    if (signal) {
      arrived.run();
    }
    return taken;
  }

  @Override
  public synchronized boolean isDrained(Runnable room) {
    if (closed || freed == written) {
      return true;
    }
    waiting = room;
    return false;
  }

  private void store(byte[] bytes, int from, int count) {
    if (count == 0) {
      return;
    }
    int at = (int) written & (ring.length - 1);
    int first = Math.min(count, ring.length - at);
    System.arraycopy(bytes, from, ring, at, first);
    System.arraycopy(bytes, from + first, ring, 0, count - first);
    written += count;
  }

  private void grow(int needed) {
    int length = Math.max(SMALLEST, ring.length);
    while (length < needed) {
      length *= 2;
    }
    byte[] larger = new byte[length];
    for (long i = freed; i < written; ) {
      int at = (int) i & (ring.length - 1);
      int to = (int) i & (length - 1);
      int count = (int) Math.min(written - i, Math.min(ring.length - at, length - to));
      System.arraycopy(ring, at, larger, to, count);
      i += count;
    }
    ring = larger;
  }

  // ---- the owner's side

  /** The owner begins to read: what comes from now on is signalled again. */
  synchronized void reading() {
    signalled = false;
  }

  synchronized boolean isEmpty() {
    return read == written;
  }

  /**
   * Lends the process as many bytes as lie together; they stand at {@link #lentAt} of {@link
   * #lent}.
   *
   * @return how many, 0 if there are none
   */
  int lend() {
    synchronized (this) {
      if (read == written) {
        return 0;
      }
      lent = ring;
      lentAt = (int) read & (ring.length - 1);
      int count = (int) Math.min(written - read, ring.length - lentAt);
      read += count;
      return count;
    }
  }

  byte[] lent() {
    return lent;
  }

  int lentAt() {
    return lentAt;
  }

  /** The process has looked at what was lent. */
  void giveBack() {
    lent = EMPTY;
    Runnable waker = null;
    synchronized (this) {
      freed = read;
      if (freed == written && ring.length > LIMIT / 4) {
        ring = EMPTY;
      }
      if (written - freed <= LIMIT - LIMIT / 3) {
        waker = waiting;
        waiting = null;
      }
    }
    if (waker != null) {
      waker.run();
    }
  }

  /** Takes nothing any more and forgets what is there; answers whether something was. */
  boolean close() {
    Runnable waker;
    boolean unread;
    synchronized (this) {
      unread = read != written;
      closed = true;
      ring = EMPTY;
      freed = written;
      read = written;
      waker = waiting;
      waiting = null;
    }
    if (waker != null) {
      waker.run();
    }
    return unread;
  }
}
