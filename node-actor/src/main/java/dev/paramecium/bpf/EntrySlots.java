package dev.paramecium.bpf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Where a hash map's entries are: in slots that never move, of which the fields are read and
 * written in place.
 *
 * <pre>
 *   chunks  [ 16 entries ][ 32 ][ 64 ][ 128 ] …     made as the map grows
 *
 *   entry   | state | key words | value words |     little-endian images of the key's and value's bytes
 * </pre>
 *
 * A state is even while the slot holds a key and counts every use of the slot. Methods for writers
 * are called under the map's lock.
 */
abstract sealed class EntrySlots permits BpfHashMap {

  static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  static final int MAX_KEY_WORDS = 3;
  static final int FIRST_CHUNK = 16;

  /** Answers of {@link #match} that are no slot. */
  static final int MISS = -1;

  static final int CHANGED = -2;

  final int keySize;
  final int valueSize;
  final int maxEntries;
  final int keyWords;

  private final int stride;
  private final int valueAt;

  /** Chunk k holds the entries whose slot + 16 has its highest bit at k. */
  private final long[][] chunks = new long[32][];

  // Under the map's lock.
  private final SlotQueue freeSlots = new SlotQueue();
  private int slotsMade;

  EntrySlots(String name, int keySize, int valueSize, int maxEntries) {
    if (keySize < 1 || keySize > MAX_KEY_WORDS * 8) {
      throw new IllegalArgumentException(
          "key of " + keySize + " bytes in " + name + ": a hash map takes 1 to 24");
    }
    if (valueSize < 1 || maxEntries < 1 || maxEntries > 1 << 28) {
      throw new IllegalArgumentException(
          name + " with values of " + valueSize + " bytes and max_entries " + maxEntries);
    }
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.maxEntries = maxEntries;
    this.keyWords = Words.count(keySize);
    this.valueAt = 1 + keyWords;
    this.stride = valueAt + Words.count(valueSize);
  }

  // ---- fields of an entry

  private long[] chunkOf(int slot) {
    return chunks[31 - Integer.numberOfLeadingZeros(slot + FIRST_CHUNK)];
  }

  /** Where in its chunk an entry begins. */
  private int entryOf(int slot) {
    int biased = slot + FIRST_CHUNK;
    return (biased ^ Integer.highestOneBit(biased)) * stride;
  }

  private int wordOf(int slot, int offset) {
    return entryOf(slot) + valueAt + (offset >>> 3);
  }

  /** The u8 at a byte offset of the value. */
  public final int u8(int slot, int offset) {
    return (int) (word(slot, offset) >>> ((offset & 7) << 3)) & 0xff;
  }

  /** The little-endian u16 at an even byte offset. */
  public final int u16(int slot, int offset) {
    return (int) (word(slot, offset) >>> ((offset & 7) << 3)) & 0xffff;
  }

  /** The little-endian 32 bits at a byte offset that is a multiple of 4. */
  public final int i32(int slot, int offset) {
    return (int) (word(slot, offset) >>> ((offset & 7) << 3));
  }

  /** The little-endian 64 bits at a byte offset that is a multiple of 8. */
  public final long i64(int slot, int offset) {
    return word(slot, offset);
  }

  private long word(int slot, int offset) {
    return (long) WORD.getOpaque(chunkOf(slot), wordOf(slot, offset));
  }

  /** Sets a u8; fields beside it that other threads set meanwhile keep what they were given. */
  public final void setU8(int slot, int offset, int value) {
    replaceBits(slot, offset, 0xffL, value);
  }

  public final void setU16(int slot, int offset, int value) {
    replaceBits(slot, offset, 0xffffL, value);
  }

  public final void setI32(int slot, int offset, int value) {
    replaceBits(slot, offset, 0xffff_ffffL, value);
  }

  public final void setI64(int slot, int offset, long value) {
    WORD.setOpaque(chunkOf(slot), wordOf(slot, offset), value);
  }

  private void replaceBits(int slot, int offset, long mask, long value) {
    int shift = (offset & 7) << 3;
    long[] chunk = chunkOf(slot);
    int at = wordOf(slot, offset);
    long seen = (long) WORD.getOpaque(chunk, at);
    long wanted = (seen & ~(mask << shift)) | ((value & mask) << shift);
    while (seen != wanted && !WORD.compareAndSet(chunk, at, seen, wanted)) {
      seen = (long) WORD.getOpaque(chunk, at);
      wanted = (seen & ~(mask << shift)) | ((value & mask) << shift);
    }
  }

  /** Sets bits of the u16 at an even byte offset, atomically. */
  public final void orU16(int slot, int offset, int bits) {
    int shift = (offset & 7) << 3;
    long added = (bits & 0xffffL) << shift;
    if ((word(slot, offset) & added) != added) {
      WORD.getAndBitwiseOr(chunkOf(slot), wordOf(slot, offset), added);
    }
  }

  /** Sets bits of the u8 at a byte offset, atomically. */
  public final void orU8(int slot, int offset, int bits) {
    int shift = (offset & 7) << 3;
    long added = (bits & 0xffL) << shift;
    if ((word(slot, offset) & added) != added) {
      WORD.getAndBitwiseOr(chunkOf(slot), wordOf(slot, offset), added);
    }
  }

  /** {@code __sync_fetch_and_add} on the u64 at a byte offset that is a multiple of 8. */
  public final void addI64(int slot, int offset, long delta) {
    WORD.getAndAdd(chunkOf(slot), wordOf(slot, offset), delta);
  }

  /** Word {@code word} of the slot's key. */
  public final long keyWord(int slot, int word) {
    return (long) WORD.getOpaque(chunkOf(slot), wordOf(slot, 0) - keyWords + word);
  }

  // ---- whose the slot is

  /** Whether the slot holds this key now. */
  public final boolean holds(int slot, long k0, long k1, long k2) {
    return match(slot, k0, k1, k2) == slot;
  }

  /**
   * A number that changes whenever the slot is given to a key or taken from it. Whoever needs
   * several fields of one moment reads the stamp, asks {@link #holds}, reads the fields, and reads
   * the stamp again.
   */
  public final long stamp(int slot) {
    VarHandle.loadLoadFence();
    return (long) WORD.getAcquire(chunkOf(slot), entryOf(slot));
  }

  /** {@code slot} if it holds the key, MISS if it holds another, CHANGED if it is being reused. */
  final int match(int slot, long k0, long k1, long k2) {
    int biased = slot + FIRST_CHUNK;
    int chunkIndex = 31 - Integer.numberOfLeadingZeros(biased);
    long[] chunk = chunks[chunkIndex];
    int at = (biased ^ 1 << chunkIndex) * stride;
    long state = (long) WORD.getAcquire(chunk, at);
    boolean same = sameKey(chunk, at, k0, k1, k2);
    VarHandle.loadLoadFence();
    if ((state & 1) != 0 || (long) WORD.getOpaque(chunk, at) != state) {
      return CHANGED;
    }
    return same ? slot : MISS;
  }

  private boolean sameKey(long[] chunk, int at, long k0, long k1, long k2) {
    return chunk[at + 1] == k0
        && (keyWords < 2 || chunk[at + 2] == k1)
        && (keyWords < 3 || chunk[at + 3] == k2);
  }

  /**
   * Begins the proof that a slot holds another key than this: its state, or -1 if it holds this key
   * or none.
   */
  final long stateIfOther(int slot, long k0, long k1, long k2) {
    long[] chunk = chunkOf(slot);
    int at = entryOf(slot);
    long state = (long) WORD.getAcquire(chunk, at);
    boolean same = sameKey(chunk, at, k0, k1, k2);
    VarHandle.loadLoadFence();
    return same || (state & 1) != 0 ? -1 : state;
  }

  final boolean isLive(int slot) {
    return (stamp(slot) & 1) == 0;
  }

  /**
   * The first slot above {@code slot} that holds an entry, or -1: {@code for (int s = nextSlot(-1);
   * s >= 0; s = nextSlot(s))} visits the map without garbage, as conntrack's garbage collection
   * does.
   */
  public final int nextSlot(int slot) {
    int next = slot + 1;
    while (true) {
      int biased = next + FIRST_CHUNK;
      int chunkIndex = 31 - Integer.numberOfLeadingZeros(biased);
      long[] chunk = chunkIndex < chunks.length ? chunks[chunkIndex] : null;
      int at = (biased ^ 1 << chunkIndex) * stride;
      if (chunk == null || at >= chunk.length) {
        return -1;
      }
      VarHandle.acquireFence();
      if (((long) WORD.getAcquire(chunk, at) & 1) == 0) {
        return next;
      }
      next++;
    }
  }

  /** Copies of every key and value, in the order of the slots. */
  final void forEachSlot(BiConsumer<byte[], byte[]> entry) {
    for (int slot = nextSlot(-1); slot >= 0; slot = nextSlot(slot)) {
      long stamp = stamp(slot);
      byte[] key = new byte[keySize];
      byte[] value = copyValue(slot);
      Words.copyOut(chunkOf(slot), entryOf(slot) + 1, key, 0, keySize);
      if ((stamp & 1) == 0 && stamp(slot) == stamp) {
        entry.accept(key, value);
      }
    }
  }

  final byte[] copyValue(int slot) {
    byte[] value = new byte[valueSize];
    Words.copyOut(chunkOf(slot), wordOf(slot, 0), value, 0, valueSize);
    return value;
  }

  // ---- for writers

  /** Slots from 0 to this one, exclusive, have been used. */
  final int slotsMade() {
    return slotsMade;
  }

  /** A slot that holds nothing; one more than max_entries can hold something at a time. */
  final int unusedSlot() {
    // Free slots are reused late, in the order in which they became free.
    if (freeSlots.size() > 0 && (slotsMade > maxEntries || freeSlots.size() * 4 > slotsMade)) {
      return freeSlots.remove();
    }
    if (slotsMade > maxEntries) {
      throw new IllegalStateException("no slot is left of " + (maxEntries + 1));
    }
    int slot = slotsMade;
    int biased = slot + FIRST_CHUNK;
    int chunkIndex = 31 - Integer.numberOfLeadingZeros(biased);
    if (biased == 1 << chunkIndex) {
      int entries = Math.min(1 << chunkIndex, maxEntries + 1 - slot);
      long[] chunk = new long[entries * stride];
      for (int i = 0; i < chunk.length; i += stride) {
        chunk[i] = 1; // odd: holds nothing
      }
      VarHandle.releaseFence(); // forEach finds the chunk without going through the index
      chunks[chunkIndex] = chunk;
    }
    slotsMade++;
    return slot;
  }

  /** Fills a slot that no index word names, and makes its state even. */
  final void write(int slot, long k0, long k1, long k2, byte @Nullable [] value, int from) {
    long[] chunk = chunkOf(slot);
    int at = entryOf(slot);
    chunk[at + 1] = k0;
    if (keyWords > 1) {
      chunk[at + 2] = k1;
    }
    if (keyWords > 2) {
      chunk[at + 3] = k2;
    }
    if (value == null) {
      for (int i = at + valueAt; i < at + stride; i++) {
        chunk[i] = 0;
      }
    } else {
      Words.copyIn(value, from, valueSize, chunk, at + valueAt);
    }
    WORD.setRelease(chunk, at, chunk[at] + 1);
  }

  /** Makes the state of a slot odd, after the index has forgotten it. */
  final void retire(int slot) {
    long[] chunk = chunkOf(slot);
    int at = entryOf(slot);
    // An atomic exchange, so that what is written into the slot later is not seen before it.
    WORD.getAndAdd(chunk, at, 1L);
    VarHandle.storeStoreFence();
    freeSlots.add(slot);
  }
}
