package dev.paramecium.bpf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * One CPU's ring of one reader, in the records of {@code perf_event_open(2)}: PERF_RECORD_SAMPLE
 * with PERF_SAMPLE_TIME and PERF_SAMPLE_RAW, and PERF_RECORD_LOST in front of the first sample that
 * found room again.
 *
 * <pre>
 *   0                 tail                            head          capacity
 *   |      free       | SAMPLE | SAMPLE | LOST | SAMPLE |    free    | margin |
 *
 *   SAMPLE   u32 type 9, u16 misc, u16 size | u64 time | u32 length | bytes, padded to 8
 *   LOST     u32 type 2, u16 misc, u16 size | u64 id   | u64 count
 * </pre>
 *
 * All memory is there from the start. A record is never in two pieces, for its reader reads it in
 * place: the last one before the end runs over into the margin, whose bytes count as those at the
 * ring's start.
 */
final class PerfRing {

  /** Of the kernel. */
  static final int PAGE = 4096;

  private static final int TYPE_LOST = 2;
  private static final int TYPE_SAMPLE = 9;
  private static final int TIME = 8;
  private static final int COUNT = 16;
  private static final int RAW_LENGTH = 16;
  private static final int RAW = 20;
  private static final int LOST_SIZE = 24;

  private static final VarHandle I32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle I64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final int cpu;
  private final int capacity;
  private final byte[] data;

  /** How many bytes were ever written: data_head. */
  private volatile long head;

  /** How many bytes were ever read: data_tail. */
  private volatile long tail;

  private long lost;
  private long lostEver;

  /**
   * @param pages a power of two, of {@value #PAGE} bytes each
   */
  PerfRing(int cpu, int pages) {
    if (pages < 1 || Integer.bitCount(pages) != 1 || pages > Integer.MAX_VALUE / PAGE / 2) {
      throw new IllegalArgumentException(
          "a perf ring of " + pages + " pages: the number must be a power of two");
    }
    this.cpu = cpu;
    this.capacity = pages * PAGE;
    this.data = new byte[capacity + PAGE];
  }

  /**
   * Writes one record of two parts: a program's message and what it captured of its packet. Where
   * the reader has left no room it is counted as lost, as is what comes after it until then. Two
   * threads on one CPU take turns.
   *
   * @throws IllegalArgumentException for a record longer than a page
   */
  synchronized boolean write(
      long timestampNs, byte[] message, int size, byte[] capture, int from, int captured) {
    int length = aligned(RAW + size + captured);
    if (length > PAGE) {
      throw new IllegalArgumentException(
          "a perf record of " + (size + captured) + " bytes: it must fit into " + PAGE);
    }
    long end = head;
    int needed = lost == 0 ? length : length + LOST_SIZE;
    if (end + needed - tail > capacity) {
      lost++;
      lostEver++;
      return false;
    }
    if (lost != 0) {
      int at = at(end);
      I64.set(data, at, TYPE_LOST | (long) LOST_SIZE << 48);
      I64.set(data, at + TIME, 0L);
      I64.set(data, at + COUNT, lost);
      lost = 0;
      end += LOST_SIZE;
    }
    int at = at(end);
    I64.set(data, at, TYPE_SAMPLE | (long) length << 48);
    I64.set(data, at + TIME, timestampNs);
    I32.set(data, at + RAW_LENGTH, size + captured);
    System.arraycopy(message, 0, data, at + RAW, size);
    System.arraycopy(capture, from, data, at + RAW + size, captured);
    head = end + length;
    return true;
  }

  boolean isEmpty() {
    return head == tail;
  }

  /** When the oldest record was written; only for a ring that is not empty. */
  long oldestNs() {
    int at = at(tail);
    return (long) I64.get(data, type(at) == TYPE_LOST ? at + LOST_SIZE + TIME : at + TIME);
  }

  /** Gives the oldest record to {@code visitor} and frees it; the ring must not be empty. */
  void read(PerfEventArray.Visitor visitor) {
    long start = tail;
    int at = at(start);
    long lostBefore = 0;
    if (type(at) == TYPE_LOST) {
      lostBefore = (long) I64.get(data, at + COUNT);
      start += LOST_SIZE;
      at = at(start);
    }
    int length = (int) I32.get(data, at + RAW_LENGTH);
    visitor.record(cpu, (long) I64.get(data, at + TIME), data, at + RAW, length, lostBefore);
    tail = start + aligned(RAW + length);
  }

  synchronized long lost() {
    return lostEver;
  }

  private int at(long position) {
    return (int) position & capacity - 1;
  }

  private int type(int at) {
    return (int) I32.get(data, at);
  }

  private static int aligned(int size) {
    return size + 7 & ~7;
  }
}
