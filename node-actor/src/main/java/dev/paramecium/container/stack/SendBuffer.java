package dev.paramecium.container.stack;

/**
 * Bytes that were written and not yet acknowledged, in a ring addressed by sequence number.
 *
 * <pre>
 *   start (una) ........ end     byte s stands at ring[s &amp; (ring.length - 1)]
 * </pre>
 */
final class SendBuffer {

  private static final byte[] EMPTY = new byte[0];
  private static final int SMALLEST = 4096;

  /** A larger ring is given back when it runs empty, so that idle connections are cheap. */
  private static final int KEEP = 64 << 10;

  private byte[] ring = EMPTY;
  private int start;
  private int size;

  /** Where the first byte will stand. */
  void reset(int seq) {
    start = seq;
    size = 0;
  }

  int size() {
    return size;
  }

  int end() {
    return start + size;
  }

  /** Takes what fits below {@code limit} bytes; answers how many bytes that were. */
  int write(byte[] bytes, int from, int count, int limit) {
    int taken = Math.min(count, limit - size);
    if (taken <= 0) {
      return 0;
    }
    if (size + taken > ring.length) {
      grow(size + taken);
    }
    int at = end() & (ring.length - 1);
    int first = Math.min(taken, ring.length - at);
    System.arraycopy(bytes, from, ring, at, first);
    System.arraycopy(bytes, from + first, ring, 0, taken - first);
    size += taken;
    return taken;
  }

  /** Copies {@code count} bytes that start at {@code seq}. */
  void copy(int seq, byte[] to, int at, int count) {
    int from = seq & (ring.length - 1);
    int first = Math.min(count, ring.length - from);
    System.arraycopy(ring, from, to, at, first);
    System.arraycopy(ring, 0, to, at + first, count - first);
  }

  /** Everything before {@code seq} is acknowledged. */
  void dropBefore(int seq) {
    int count = Math.min(seq - start, size);
    if (count > 0) {
      start += count;
      size -= count;
      if (size == 0 && ring.length > KEEP) {
        ring = EMPTY;
      }
    }
  }

  void discard() {
    ring = EMPTY;
    size = 0;
  }

  private void grow(int needed) {
    int length = Math.max(SMALLEST, ring.length);
    while (length < needed) {
      length *= 2;
    }
    byte[] larger = new byte[length];
    int done = 0;
    while (done < size) {
      int from = start + done & (ring.length - 1);
      int to = start + done & (length - 1);
      int count = Math.min(size - done, Math.min(ring.length - from, length - to));
      System.arraycopy(ring, from, larger, to, count);
      done += count;
    }
    ring = larger;
  }
}
