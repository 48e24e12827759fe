package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_PERCPU_HASH of counters: each key has a value for every CPU, so that counting does
 * not fight over a cache line.
 *
 * <pre>
 *   key -> | cpu 0: value, padded to 64 bytes | cpu 1: … | …
 * </pre>
 *
 * Two threads on one {@link Cpu} still count right. As from the kernel, {@link #lookup} and {@link
 * #forEach} answer all CPUs' values one after the other, each rounded up to 8 bytes; what a counter
 * says is their sum. {@link #update} takes as much, or one value for CPU 0 with zeros for the
 * others.
 */
public final class PerCpuHashMap implements BpfMap {

  private static final int CACHE_LINE = 64;

  private final BpfHashMap cells;
  private final int valueSize;
  private final int roundedSize;
  private final int cpus;
  private final int cpuStride;

  /**
   * @param cpus how many CPUs the node has, as {@code bpftool map dump} shows them
   */
  public PerCpuHashMap(int id, String name, int keySize, int valueSize, int maxEntries, int cpus) {
    if (cpus < 1) {
      throw new IllegalArgumentException(name + " for " + cpus + " CPUs: a node has at least 1");
    }
    this.valueSize = valueSize;
    this.roundedSize = Words.count(valueSize) * 8;
    this.cpus = cpus;
    this.cpuStride = (valueSize + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    this.cells = BpfHashMap.hash(id, name, keySize, cpuStride * cpus, maxEntries);
  }

  /**
   * The slot of a key of up to 8 bytes, made with zeros if it was not there; -1 if the map is full.
   * A slot stays the key's until the key is removed.
   */
  public int insert(long key) {
    return cells.insert(key);
  }

  /** The slot of a key of up to 8 bytes, or -1. */
  public int find(long key) {
    return cells.find(key);
  }

  /** Adds to this CPU's u64 at a byte offset that is a multiple of 8. */
  public void addI64(int slot, int offset, long delta) {
    cells.addI64(slot, Cpu.current(cpus) * cpuStride + offset, delta);
  }

  /** The sum over all CPUs of the u64 at a byte offset that is a multiple of 8. */
  public long sumI64(int slot, int offset) {
    long sum = 0;
    for (int cpu = 0; cpu < cpus; cpu++) {
      sum += cells.i64(slot, cpu * cpuStride + offset);
    }
    return sum;
  }

  public int cpus() {
    return cpus;
  }

  @Override
  public int id() {
    return cells.id();
  }

  @Override
  public String name() {
    return cells.name();
  }

  @Override
  public Type type() {
    return Type.PERCPU_HASH;
  }

  @Override
  public int keySize() {
    return cells.keySize();
  }

  /** Of one CPU's value. */
  @Override
  public int valueSize() {
    return valueSize;
  }

  @Override
  public int maxEntries() {
    return cells.maxEntries();
  }

  @Override
  public int size() {
    return cells.size();
  }

  @Override
  public byte @Nullable [] lookup(byte[] key) {
    byte[] padded = cells.lookup(key);
    return padded == null ? null : dense(padded);
  }

  private byte[] dense(byte[] padded) {
    byte[] values = new byte[cpus * roundedSize];
    for (int cpu = 0; cpu < cpus; cpu++) {
      System.arraycopy(padded, cpu * cpuStride, values, cpu * roundedSize, roundedSize);
    }
    return values;
  }

  @Override
  public @Nullable Errno update(byte[] key, byte[] value) {
    byte[] padded = new byte[cpus * cpuStride];
    if (value.length == valueSize) {
      System.arraycopy(value, 0, padded, 0, valueSize);
    } else if (value.length == cpus * roundedSize) {
      for (int cpu = 0; cpu < cpus; cpu++) {
        System.arraycopy(value, cpu * roundedSize, padded, cpu * cpuStride, roundedSize);
      }
    } else {
      return Errno.EINVAL;
    }
    return cells.update(key, padded);
  }

  @Override
  public boolean delete(byte[] key) {
    return cells.delete(key);
  }

  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    cells.forEach((key, padded) -> entry.accept(key, dense(padded)));
  }
}
