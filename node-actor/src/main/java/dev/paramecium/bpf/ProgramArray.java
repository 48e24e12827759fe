package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_PROG_ARRAY: where tail calls go. Key: u32 index; value: u32 program id.
 *
 * <pre>
 *   pages   | 0..255 | 256..511 |  –  | …      made when first used: 65,535 empty slots cost 2 KiB
 *               |
 *            index -> (id, program)
 * </pre>
 *
 * Replacing an entry is atomic: a packet runs the old program or the new one. A program that stands
 * in an array is run by every thread that tail-calls it, several at once: it keeps no scratch space
 * of its own, or one for each thread.
 */
public final class ProgramArray extends AttributedMap {

  private static final int PAGE_SHIFT = 8;
  private static final int PAGE_SIZE = 1 << PAGE_SHIFT;

  /**
   * A program under its id.
   *
   * @param id as {@code bpftool prog} shows it
   */
  private record Entry(int id, Program program) {}

  private final IntFunction<@Nullable Program> loaded;
  private final AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable Entry>> pages;
  private final AtomicInteger size = new AtomicInteger();

  /**
   * @param loaded finds a loaded program by its id, for updates from userland; null if there is
   *     none
   */
  public ProgramArray(int id, String name, int maxEntries, IntFunction<@Nullable Program> loaded) {
    super(id, name, Type.PROG_ARRAY, Integer.BYTES, Integer.BYTES, maxEntries);
    if (maxEntries < 1) {
      throw new IllegalArgumentException("max_entries of " + name + " must be at least 1");
    }
    this.loaded = loaded;
    this.pages = new AtomicReferenceArray<>((maxEntries + PAGE_SIZE - 1) >>> PAGE_SHIFT);
  }

  /**
   * {@code bpf_tail_call}: true if the caller must return {@link Verdict#TAIL_CALL} at once, false
   * if the slot is empty, the index beyond the array, or the limit of tail calls reached.
   */
  public boolean tailCall(SkBuff packet, int index) {
    Entry entry = entry(index);
    if (entry == null || packet.tailCalls >= TailCalls.LIMIT) {
      return false;
    }
    packet.tailCalls++;
    packet.tailCallTarget = entry.program;
    return true;
  }

  private @Nullable Entry entry(int index) {
    if (index < 0 || index >= maxEntries) {
      return null;
    }
    AtomicReferenceArray<@Nullable Entry> page = pages.getAcquire(index >>> PAGE_SHIFT);
    return page == null ? null : page.getAcquire(index & (PAGE_SIZE - 1));
  }

  /** The program in a slot, or null. */
  public @Nullable Program get(int index) {
    Entry entry = entry(index);
    return entry == null ? null : entry.program;
  }

  /** The id of the program in a slot, or 0. */
  public int programId(int index) {
    Entry entry = entry(index);
    return entry == null ? 0 : entry.id;
  }

  /**
   * Puts a program into a slot, in place of what is there.
   *
   * @throws IndexOutOfBoundsException if the array has no such slot
   */
  public synchronized void set(int index, int programId, Program program) {
    if (index < 0 || index >= maxEntries) {
      throw new IndexOutOfBoundsException(
          "slot " + index + " of " + name + ", which has " + maxEntries);
    }
    AtomicReferenceArray<@Nullable Entry> page = pages.get(index >>> PAGE_SHIFT);
    if (page == null) {
      page = new AtomicReferenceArray<>(PAGE_SIZE);
      pages.setRelease(index >>> PAGE_SHIFT, page);
    }
    if (page.getAndSet(index & (PAGE_SIZE - 1), new Entry(programId, program)) == null) {
      size.incrementAndGet();
    }
  }

  /** Empties a slot; answers whether it held a program. */
  public synchronized boolean clear(int index) {
    if (index < 0 || index >= maxEntries) {
      return false;
    }
    AtomicReferenceArray<@Nullable Entry> page = pages.get(index >>> PAGE_SHIFT);
    if (page == null || page.getAndSet(index & (PAGE_SIZE - 1), null) == null) {
      return false;
    }
    size.decrementAndGet();
    return true;
  }

  @Override
  public int size() {
    return size.get();
  }

  @Override
  public byte @Nullable [] lookup(byte[] key) {
    int programId = key.length == Integer.BYTES ? programId(Words.i32(key)) : 0;
    return programId == 0 ? null : Words.bytes(programId);
  }

  /** Also EINVAL if no program of that id is loaded, E2BIG for an index beyond the array. */
  @Override
  public @Nullable Errno update(byte[] key, byte[] value) {
    if (key.length != Integer.BYTES || value.length != Integer.BYTES) {
      return Errno.EINVAL;
    }
    int index = Words.i32(key);
    if (index < 0 || index >= maxEntries) {
      return Errno.E2BIG;
    }
    Program program = loaded.apply(Words.i32(value));
    if (program == null) {
      return Errno.EINVAL;
    }
    set(index, Words.i32(value), program);
    return null;
  }

  @Override
  public boolean delete(byte[] key) {
    return key.length == Integer.BYTES && clear(Words.i32(key));
  }

  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    for (int pageIndex = 0; pageIndex < pages.length(); pageIndex++) {
      AtomicReferenceArray<@Nullable Entry> page = pages.getAcquire(pageIndex);
      for (int i = 0; page != null && i < PAGE_SIZE; i++) {
        Entry found = page.getAcquire(i);
        if (found != null) {
          entry.accept(Words.bytes((pageIndex << PAGE_SHIFT) + i), Words.bytes(found.id));
        }
      }
    }
  }
}
