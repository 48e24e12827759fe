package dev.paramecium.container.stack;

import java.util.Arrays;

/**
 * Bytes that arrived and were not yet handed to the process: those in order, and islands behind
 * gaps, in a ring addressed by sequence number.
 *
 * <pre>
 *   start .... readable .... next      [left,right)     [left,right)
 *   in order, not yet read   (gap)      island           island       byte s at ring[s &amp; mask]
 * </pre>
 */
final class ReceiveBuffer {

  private static final byte[] EMPTY = new byte[0];
  private static final int SMALLEST = 4096;
  private static final int KEEP = 64 << 10;

  /** More islands than this do not come from an honest path. */
  static final int MAX_ISLANDS = 1024;

  private byte[] ring = EMPTY;
  private int start;
  private int next;

  /** Left and right edges, ascending, disjoint, all behind {@link #next}. */
  private int[] islands = new int[8];

  private int islandCount;

  /** Where in the stream islands grew most recently, latest first: what SACK reports first. */
  private final int[] recent = new int[4];

  private int recentCount;

  void reset(int seq) {
    start = seq;
    next = seq;
  }

  /** The next sequence number expected in order. */
  int next() {
    return next;
  }

  /** Bytes in order that the process has not read. */
  int readable() {
    return next - start;
  }

  boolean hasIslands() {
    return islandCount > 0;
  }

  /**
   * {@code count} bytes from {@link #next} on go straight to the process, not through the ring;
   * islands that they reach become readable.
   */
  void bypass(int count) {
    start += count;
    next += count;
    absorb();
  }

  /** Stores bytes in order. */
  void append(byte[] bytes, int from, int count) {
    store(next, bytes, from, count);
    next += count;
    absorb();
  }

  /**
   * Stores bytes behind a gap.
   *
   * @return how many of them are new, -1 if there are too many islands
   */
  int insert(int seq, byte[] bytes, int from, int count) {
    int left = seq;
    int right = seq + count;
    int first = 0;
    while (first < islandCount && Seq.before(islands[2 * first + 1], left)) {
      first++;
    }
    int last = first;
    int covered = 0;
    while (last < islandCount && !Seq.after(islands[2 * last], right)) {
      covered +=
          Math.max(
              0, Seq.min(islands[2 * last + 1], seq + count) - Seq.max(islands[2 * last], seq));
      left = Seq.min(left, islands[2 * last]);
      right = Seq.max(right, islands[2 * last + 1]);
      last++;
    }
    if (last == first && islandCount >= MAX_ISLANDS) {
      return -1;
    }
    if (covered == count) {
      remember(seq);
      return 0;
    }
    store(seq, bytes, from, count);
    replace(first, last, left, right);
    remember(seq);
    return count - covered;
  }

  /** The ring; bytes at {@link #readAt} may be read up to {@link #contiguous}. */
  byte[] ring() {
    return ring;
  }

  int readAt() {
    return start & (ring.length - 1);
  }

  /** How many bytes may be read at once. */
  int contiguous() {
    return readable() == 0 ? 0 : Math.min(readable(), ring.length - readAt());
  }

  void consume(int count) {
    start += count;
    if (start == next && islandCount == 0 && ring.length > KEEP) {
      ring = EMPTY;
    }
  }

  /**
   * Writes the blocks that SACK (RFC 2018) reports, latest first.
   *
   * @return how many, at most {@code most}
   */
  int blocks(int[] left, int[] right, int most) {
    int count = 0;
    for (int i = 0; i < recentCount && count < most; i++) {
      int island = islandAt(recent[i]);
      boolean known = island < 0;
      for (int j = 0; j < count && !known; j++) {
        known = left[j] == islands[2 * island];
      }
      if (!known) {
        left[count] = islands[2 * island];
        right[count] = islands[2 * island + 1];
        count++;
      }
    }
    return count;
  }

  void discard() {
    ring = EMPTY;
    start = next;
    islandCount = 0;
    recentCount = 0;
  }

  private int islandAt(int seq) {
    for (int i = 0; i < islandCount; i++) {
      if (!Seq.before(seq, islands[2 * i]) && Seq.before(seq, islands[2 * i + 1])) {
        return i;
      }
    }
    return -1;
  }

  private void remember(int seq) {
    int island = islandAt(seq);
    int kept = 0;
    for (int i = 0; i < recentCount; i++) {
      int other = islandAt(recent[i]);
      if (other >= 0 && other != island) {
        recent[kept++] = recent[i];
      }
    }
    kept = Math.min(kept, recent.length - 1);
    System.arraycopy(recent, 0, recent, 1, kept);
    recent[0] = seq;
    recentCount = kept + 1;
  }

  /** Islands that {@link #next} has reached are in order now. */
  private void absorb() {
    int gone = 0;
    while (gone < islandCount && !Seq.after(islands[2 * gone], next)) {
      next = Seq.max(next, islands[2 * gone + 1]);
      gone++;
    }
    if (gone > 0) {
      System.arraycopy(islands, 2 * gone, islands, 0, 2 * (islandCount - gone));
      islandCount -= gone;
      if (islandCount == 0) {
        recentCount = 0;
      }
    }
  }

  private void replace(int first, int last, int left, int right) {
    int removed = last - first;
    if (removed == 0 && 2 * islandCount == islands.length) {
      islands = Arrays.copyOf(islands, islands.length * 2);
    }
    System.arraycopy(islands, 2 * last, islands, 2 * (first + 1), 2 * (islandCount - last));
    islands[2 * first] = left;
    islands[2 * first + 1] = right;
    islandCount += 1 - removed;
  }

  private void store(int seq, byte[] bytes, int from, int count) {
    int needed = seq + count - start;
    if (needed > ring.length) {
      grow(needed);
    }
    int at = seq & (ring.length - 1);
    int first = Math.min(count, ring.length - at);
    System.arraycopy(bytes, from, ring, at, first);
    System.arraycopy(bytes, from + first, ring, 0, count - first);
  }

  private void grow(int needed) {
    int length = Math.max(SMALLEST, ring.length);
    while (length < needed) {
      length *= 2;
    }
    byte[] larger = new byte[length];
    int end = islandCount == 0 ? next : islands[2 * islandCount - 1];
    int seq = start;
    while (ring.length > 0 && Seq.before(seq, end)) {
      int from = seq & (ring.length - 1);
      int to = seq & (length - 1);
      int count = Math.min(end - seq, Math.min(ring.length - from, length - to));
      System.arraycopy(ring, from, larger, to, count);
      seq += count;
    }
    ring = larger;
  }
}
