package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.PerfRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_PERF_EVENT_ARRAY: records from programs to whoever reads them.
 *
 * <pre>
 *   program --output--> ring of this CPU, one for each reader --read--> reader
 *                         full: counted, and told with the next record
 * </pre>
 *
 * Programs ask {@link #isRead} first: without readers a record is never made. Writing one allocates
 * nothing. The map's entries, which in Linux are perf file descriptors by CPU, are the kernel's
 * business: userland sees none.
 */
public final class PerfEventArray extends AttributedMap {

  /** BPF_F_CURRENT_CPU. */
  public static final int CURRENT_CPU = -1;

  /** What cilium-agent maps of each CPU's ring, in pages of 4096 bytes. */
  public static final int MONITOR_PAGES = 64;

  private static final byte[] NOTHING = new byte[0];

  /** Looks at a record where it lies. */
  @FunctionalInterface
  public interface Visitor {

    /**
     * @param bytes the ring's own: from {@code from} on {@code length} of them are the record's,
     *     until this returns
     * @param lost how many records of this CPU were lost just before this one
     */
    void record(int cpu, long timestampNs, byte[] bytes, int from, int length, long lost);
  }

  private volatile List<Reader> readers = List.of();

  public PerfEventArray(int id, String name, int cpus) {
    super(id, name, Type.PERF_EVENT_ARRAY, Integer.BYTES, Integer.BYTES, cpus);
  }

  /** Whether a record that is written now has a reader. */
  public boolean isRead() {
    return !readers.isEmpty();
  }

  /**
   * {@code bpf_perf_event_output} with BPF_F_CTXLEN: gives every reader a record of the first
   * {@code size} bytes of a message and the first {@code captured} of the packet.
   */
  public void output(long timestampNs, byte[] message, int size, SkBuff packet, int captured) {
    output(CURRENT_CPU, timestampNs, message, size, packet.bytes, packet.head, captured);
  }

  /**
   * A record without a packet.
   *
   * @param cpu 0 to {@code maxEntries - 1}, or {@link #CURRENT_CPU}
   */
  public void output(int cpu, long timestampNs, byte[] message) {
    output(cpu, timestampNs, message, message.length, NOTHING, 0, 0);
  }

  private void output(
      int cpu, long timestampNs, byte[] message, int size, byte[] capture, int from, int captured) {
    int ring = cpu == CURRENT_CPU ? Cpu.current(maxEntries()) : cpu;
    List<Reader> all = readers;
    for (int i = 0; i < all.size(); i++) {
      all.get(i).write(ring, timestampNs, message, size, capture, from, captured);
    }
  }

  /**
   * Starts reading: the reader gets what is written from now on, until it is closed.
   *
   * @param pages of each CPU's ring, a power of two
   * @param wakeup called by the writing thread when a record comes after the reader has seen all
   *     there was: it must be quick, and lead to reading until there is no more
   */
  public synchronized Reader open(int pages, Runnable wakeup) {
    Reader reader = new Reader(pages, wakeup);
    List<Reader> all = new ArrayList<>(readers);
    all.add(reader);
    readers = List.copyOf(all);
    return reader;
  }

  private synchronized void close(Reader reader) {
    List<Reader> all = new ArrayList<>(readers);
    all.remove(reader);
    readers = List.copyOf(all);
  }

  /** One reader's rings, one for each CPU. It reads in one thread at a time. */
  public final class Reader implements AutoCloseable {

    private final PerfRing[] rings;
    private final Runnable wakeup;
    private final AtomicBoolean asleep = new AtomicBoolean(true);
    private @Nullable PerfRecord polled;

    private Reader(int pages, Runnable wakeup) {
      this.rings = new PerfRing[maxEntries()];
      Arrays.setAll(rings, cpu -> new PerfRing(cpu, pages));
      this.wakeup = wakeup;
    }

    private void write(
        int cpu,
        long timestampNs,
        byte[] message,
        int size,
        byte[] capture,
        int from,
        int captured) {
      if (rings[cpu].write(timestampNs, message, size, capture, from, captured)
          && asleep.get()
          && asleep.compareAndSet(true, false)) {
        wakeup.run();
      }
    }

    /** Has the oldest record looked at and frees its place; answers false if none waits. */
    public boolean read(Visitor visitor) {
      PerfRing ring = oldest();
      if (ring == null) {
        asleep.set(true);
        // What came between the last look and falling asleep woke nobody.
        ring = oldest();
        if (ring == null || !asleep.compareAndSet(true, false)) {
          return false;
        }
      }
      ring.read(visitor);
      return true;
    }

    /** A copy of the oldest record, which tells how many were lost before it; null if none. */
    public @Nullable PerfRecord poll() {
      if (!read(this::copy)) {
        return null;
      }
      PerfRecord record = polled;
      polled = null;
      return record;
    }

    private void copy(
        int cpu, long timestampNs, byte[] bytes, int from, int length, long lostBefore) {
      polled =
          new PerfRecord(
              cpu, timestampNs, Arrays.copyOfRange(bytes, from, from + length), lostBefore);
    }

    private @Nullable PerfRing oldest() {
      PerfRing oldest = null;
      for (PerfRing ring : rings) {
        if (!ring.isEmpty() && (oldest == null || ring.oldestNs() < oldest.oldestNs())) {
          oldest = ring;
        }
      }
      return oldest;
    }

    /** How many records this reader has lost in all. */
    public long lost() {
      long sum = 0;
      for (PerfRing ring : rings) {
        sum += ring.lost();
      }
      return sum;
    }

    /** Ends the reading; what waits can still be read. */
    @Override
    public void close() {
      PerfEventArray.this.close(this);
    }
  }

  /** No entry that userland could see. */
  @Override
  public int size() {
    return 0;
  }

  @Override
  public byte @Nullable [] lookup(byte[] key) {
    return null;
  }

  /** EINVAL: readers are opened with {@link #open}, not by writing file descriptors. */
  @Override
  public @Nullable Errno update(byte[] key, byte[] value) {
    return Errno.EINVAL;
  }

  @Override
  public boolean delete(byte[] key) {
    return false;
  }

  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    // Nothing that userland could see.
  }
}
