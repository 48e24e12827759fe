package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A map as bpf(2) and {@code bpftool} see it: fixed-size keys and values as bytes. Typed views for
 * programs are in {@code dev.paramecium.map}.
 *
 * <p>Any thread may read; writers exclude one another. Reading takes no lock.
 */
public interface BpfMap {

  /** The kernel's map types, with the names that {@code bpftool} prints. */
  enum Type {
    HASH("hash"),
    LRU_HASH("lru_hash"),
    LPM_TRIE("lpm_trie"),
    PROG_ARRAY("prog_array"),
    PERCPU_HASH("percpu_hash"),
    PERCPU_ARRAY("percpu_array"),
    ARRAY("array"),
    HASH_OF_MAPS("hash_of_maps"),
    SOCKHASH("sockhash"),
    PERF_EVENT_ARRAY("perf_event_array");

    private final String bpftoolName;

    Type(String bpftoolName) {
      this.bpftoolName = bpftoolName;
    }

    public String bpftoolName() {
      return bpftoolName;
    }
  }

  /** Unique on the node. */
  int id();

  String name();

  Type type();

  int keySize();

  int valueSize();

  int maxEntries();

  int size();

  /** A copy of the value, or null. */
  byte @Nullable [] lookup(byte[] key);

  /**
   * Inserts or replaces; answers null if done, E2BIG if full, EINVAL for a key or value of the
   * wrong size.
   */
  @Nullable Errno update(byte[] key, byte[] value);

  /** Whether the entry was there. */
  boolean delete(byte[] key);

  /**
   * From now on the map is full with the entries that it has, or with {@link #maxEntries} again.
   *
   * @return false for a map that cannot be full
   */
  default boolean fill(boolean full) {
    return false;
  }

  /**
   * Calls {@code entry} with copies of every key and value, in the map's own order; concurrent
   * changes may or may not be seen.
   */
  void forEach(BiConsumer<byte[], byte[]> entry);
}
