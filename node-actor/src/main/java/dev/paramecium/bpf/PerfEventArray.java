package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.PerfRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_PERF_EVENT_ARRAY: records from programs to whoever reads them.
 *
 * <pre>
 *   program --output--> ring of each reader --poll--> reader
 *                         full: counted, and told with the next record
 * </pre>
 *
 * Programs ask {@link #isRead} first: without readers a record is never made. The map's entries,
 * which in Linux are perf file descriptors by CPU, are the kernel's business: userland sees none.
 */
public final class PerfEventArray extends AttributedMap {

  private volatile List<Reader> readers = List.of();

  public PerfEventArray(int id, String name, int cpus) {
    super(id, name, Type.PERF_EVENT_ARRAY, Integer.BYTES, Integer.BYTES, cpus);
  }

  /** Whether a record that is written now has a reader. */
  public boolean isRead() {
    return !readers.isEmpty();
  }

  /**
   * {@code bpf_perf_event_output}: gives a record to every reader.
   *
   * @param record not to be changed after
   */
  public void output(int cpu, long timestampNs, byte[] record) {
    for (Reader reader : readers) {
      reader.offer(cpu, timestampNs, record);
    }
  }

  /**
   * Starts reading: the reader gets what is written from now on, until it is closed.
   *
   * @param capacity how many records wait at most
   * @param wakeup called by the writing thread when a record comes into an empty ring: it must be
   *     quick, and lead to a {@link Reader#poll} until null
   */
  public synchronized Reader open(int capacity, Runnable wakeup) {
    Reader reader = new Reader(capacity, wakeup);
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

  /** One reader's bounded ring. */
  public final class Reader implements AutoCloseable {

    private final @Nullable PerfRecord[] ring;
    private final Runnable wakeup;
    private int first;
    private int waiting;
    private long lostSinceLast;
    private long lostEver;

    private Reader(int capacity, Runnable wakeup) {
      if (capacity < 1) {
        throw new IllegalArgumentException(
            "a perf ring of " + capacity + " records: it must hold at least 1");
      }
      this.ring = new @Nullable PerfRecord[capacity];
      this.wakeup = wakeup;
    }

    private void offer(int cpu, long timestampNs, byte[] record) {
      boolean wasEmpty;
      synchronized (this) {
        if (waiting == ring.length) {
          lostSinceLast++;
          lostEver++;
          return;
        }
        wasEmpty = waiting == 0;
        int at = (first + waiting) % ring.length;
        ring[at] = new PerfRecord(cpu, timestampNs, record, lostSinceLast);
        lostSinceLast = 0;
        waiting++;
      }
      if (wasEmpty) {
        wakeup.run();
      }
    }

    /** The oldest record, which tells how many were lost just before it; null if none waits. */
    public synchronized @Nullable PerfRecord poll() {
      if (waiting == 0) {
        return null;
      }
      PerfRecord record = ring[first];
      ring[first] = null;
      first = (first + 1) % ring.length;
      waiting--;
      return record;
    }

    /** How many records this reader has lost in all. */
    public synchronized long lost() {
      return lostEver;
    }

    /** Ends the reading; what waits can still be polled. */
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
