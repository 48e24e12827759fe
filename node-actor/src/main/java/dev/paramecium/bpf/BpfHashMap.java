package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_HASH and BPF_MAP_TYPE_LRU_HASH, for keys of up to 24 bytes.
 *
 * <pre>
 *   index   | hash | slot + 1 |  –  | hash | slot + 1 | gone |  –  | …   open addressing, at most half full
 *                       |
 *   chunks  [ 16 entries ][ 32 ][ 64 ][ 128 ] …     made as the map grows: entries never move
 *
 *   entry   | state | key words | value words |     little-endian images of the key's and value's bytes
 * </pre>
 *
 * Programs use the methods with {@code k0, k1, k2}: a key's bytes as little-endian words, the
 * unused ones 0. A lookup answers the entry's <em>slot</em>, and fields are read and written by
 * slot and byte offset. Nothing here allocates except growth and the methods that take {@code
 * byte[]} keys.
 *
 * <p>Readers take no lock; writers exclude one another. How a reader can trust what it finds:
 *
 * <ul>
 *   <li>An entry's key and first value are written while its state is odd, and the state becomes
 *       even before the slot appears in the index. Removal takes the slot out of the index, then
 *       makes the state odd again. Every use of a slot has its own state, a 63-bit count.
 *   <li>{@link #find} reads the state, compares all key words, and reads the state again: a hit
 *       counts only if it was even and the same both times, so the words that were compared
 *       belonged to one key. Otherwise it looks again.
 *   <li>{@link #update} writes the new value to another slot and then exchanges the slots in one
 *       64-bit store: readers see the old value or the new one, never a mixture, as in the kernel.
 *   <li>A removed slot goes to the end of the queue of free slots, so that a reader who found it
 *       just before still reads what it was. As in the kernel's preallocated maps there is no
 *       promise that it stays so: whoever decides from several fields of an entry that others
 *       remove checks its {@link #stamp}.
 * </ul>
 *
 * A full LRU map evicts: a hand goes around the slots, spares those that were looked up since it
 * last came by, and takes the first that was not, or after {@value #LRU_SCAN} spared ones the first
 * of them, a bound that the kernel has too.
 */
public final class BpfHashMap implements BpfMap {

  /** The value is created or replaced. */
  public static final int BPF_ANY = 0;

  /** Only created: fails with -EEXIST. */
  public static final int BPF_NOEXIST = 1;

  /** Only replaced: fails with -ENOENT. */
  public static final int BPF_EXIST = 2;

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private static final int MAX_KEY_WORDS = 3;
  private static final int FIRST_CHUNK_SHIFT = 4;
  private static final int FIRST_CHUNK = 1 << FIRST_CHUNK_SHIFT;
  private static final int LRU_SCAN = 128;

  /** Low half of an index word whose entry is gone; 0 is one that was never used. */
  private static final int GONE = -1;

  private static final long SLOT_MASK = 0xffff_ffffL;

  private final int id;
  private final String name;
  private final boolean lru;
  private final int keySize;
  private final int valueSize;
  private final int maxEntries;

  private final int keyWords;
  private final int stride;
  private final int valueAt;

  /** Chunk k holds the entries whose slot + 16 has its highest bit at k. */
  private final long[][] chunks = new long[32][];

  /** One flag for each slot, in chunks as the entries are; of an LRU map only. */
  private final byte[][] referenced = new byte[32][];

  private volatile long[] index = new long[FIRST_CHUNK * 2];
  private volatile int size;

  // Under the lock of this map.
  private final SlotQueue freeSlots = new SlotQueue();
  private int live;
  private int slotsMade;
  private int indexUsed;
  private int hand;

  private BpfHashMap(int id, String name, boolean lru, int keySize, int valueSize, int maxEntries) {
    if (keySize < 1 || keySize > MAX_KEY_WORDS * 8) {
      throw new IllegalArgumentException(
          "key of " + keySize + " bytes in " + name + ": a hash map takes 1 to 24");
    }
    if (valueSize < 1 || maxEntries < 1 || maxEntries > 1 << 28) {
      throw new IllegalArgumentException(
          name + " with values of " + valueSize + " bytes and max_entries " + maxEntries);
    }
    this.id = id;
    this.name = name;
    this.lru = lru;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.maxEntries = maxEntries;
    this.keyWords = Words.count(keySize);
    this.valueAt = 1 + keyWords;
    this.stride = valueAt + Words.count(valueSize);
  }

  /** BPF_MAP_TYPE_HASH: refuses new keys when full. */
  public static BpfHashMap hash(int id, String name, int keySize, int valueSize, int maxEntries) {
    return new BpfHashMap(id, name, false, keySize, valueSize, maxEntries);
  }

  /** BPF_MAP_TYPE_LRU_HASH: makes room when full. */
  public static BpfHashMap lru(int id, String name, int keySize, int valueSize, int maxEntries) {
    return new BpfHashMap(id, name, true, keySize, valueSize, maxEntries);
  }

  // ---- what programs call: lookup

  /** The slot of a key of up to 8 bytes, or -1. */
  public int find(long k0) {
    return find(k0, 0, 0);
  }

  /** The slot of a key of up to 16 bytes, or -1. */
  public int find(long k0, long k1) {
    return find(k0, k1, 0);
  }

  /** The slot of a key, or -1. Words that the key does not have are 0. */
  public int find(long k0, long k1, long k2) {
    long hash = hash(k0, k1, k2);
    while (true) {
      int slot = probe(index, hash, k0, k1, k2);
      if (slot >= 0) {
        if (lru) {
          reference(slot);
        }
        return slot;
      }
      if (slot == MISS) {
        return -1;
      }
    }
  }

  private static final int MISS = -1;
  private static final int CHANGED = -2;

  /** The slot of a key, MISS, or CHANGED if an entry on the way changed while it was read. */
  private int probe(long[] table, long hash, long k0, long k1, long k2) {
    int mask = table.length - 1;
    int at = (int) hash & mask;
    while (true) {
      long word = (long) WORD.getAcquire(table, at);
      int low = (int) word;
      if (low == 0) {
        return MISS;
      }
      if ((word ^ hash) >>> 32 == 0 && low != GONE) {
        int matched = match(low - 1, k0, k1, k2);
        if (matched >= 0) {
          return matched;
        }
        if (matched == CHANGED || !collides(table, at, word, k0, k1, k2)) {
          return CHANGED;
        }
      }
      at = at + 1 & mask;
    }
  }

  /** {@code slot} if it holds the key, MISS if it holds another, CHANGED if it is being reused. */
  private int match(int slot, long k0, long k1, long k2) {
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
   * Whether the index really names a slot with another key of the same 32 hash bits. Otherwise the
   * wanted key moved to another slot, and this one was reused, after its index word was read.
   */
  @SuppressWarnings("ReferenceEquality") // the same index, not an equal one
  private boolean collides(long[] table, int indexAt, long word, long k0, long k1, long k2) {
    int slot = (int) word - 1;
    long[] chunk = chunkOf(slot);
    int at = wordOf(slot, 0) - valueAt;
    long state = (long) WORD.getAcquire(chunk, at);
    boolean same = sameKey(chunk, at, k0, k1, k2);
    VarHandle.loadLoadFence();
    boolean named = (long) WORD.getAcquire(table, indexAt) == word && table == index;
    return !same && named && (state & 1) == 0 && (long) WORD.getAcquire(chunk, at) == state;
  }

  /** Whether the slot holds this key now. */
  public boolean holds(int slot, long k0, long k1, long k2) {
    return match(slot, k0, k1, k2) == slot;
  }

  /**
   * A number that changes whenever the slot is given to a key or taken from it. Whoever needs
   * several fields of one moment reads the stamp, asks {@link #holds}, reads the fields, and reads
   * the stamp again.
   */
  public long stamp(int slot) {
    VarHandle.loadLoadFence();
    return (long) WORD.getAcquire(chunkOf(slot), wordOf(slot, 0) - valueAt);
  }

  /** Spreads the key over 64 bits: the low half chooses the place, the high half is compared. */
  private static long hash(long k0, long k1, long k2) {
    long h = (k0 ^ 0x9e3779b97f4a7c15L) * 0xbf58476d1ce4e5b9L;
    h = (h ^ h >>> 32 ^ k1) * 0x94d049bb133111ebL;
    h = (h ^ h >>> 29 ^ k2) * 0xd6e8feb86659fd93L;
    return h ^ h >>> 32;
  }

  // ---- what programs call: fields of an entry

  private long[] chunkOf(int slot) {
    return chunks[31 - Integer.numberOfLeadingZeros(slot + FIRST_CHUNK)];
  }

  private int wordOf(int slot, int offset) {
    int biased = slot + FIRST_CHUNK;
    return (biased ^ Integer.highestOneBit(biased)) * stride + valueAt + (offset >>> 3);
  }

  /** The u8 at a byte offset of the value. */
  public int u8(int slot, int offset) {
    return (int) (word(slot, offset) >>> ((offset & 7) << 3)) & 0xff;
  }

  /** The little-endian u16 at an even byte offset. */
  public int u16(int slot, int offset) {
    return (int) (word(slot, offset) >>> ((offset & 7) << 3)) & 0xffff;
  }

  /** The little-endian 32 bits at a byte offset that is a multiple of 4. */
  public int i32(int slot, int offset) {
    return (int) (word(slot, offset) >>> ((offset & 7) << 3));
  }

  /** The little-endian 64 bits at a byte offset that is a multiple of 8. */
  public long i64(int slot, int offset) {
    return word(slot, offset);
  }

  private long word(int slot, int offset) {
    return (long) WORD.getOpaque(chunkOf(slot), wordOf(slot, offset));
  }

  /** Sets a u8; fields beside it that other threads set meanwhile keep what they were given. */
  public void setU8(int slot, int offset, int value) {
    replaceBits(slot, offset, 0xffL, value);
  }

  public void setU16(int slot, int offset, int value) {
    replaceBits(slot, offset, 0xffffL, value);
  }

  public void setI32(int slot, int offset, int value) {
    replaceBits(slot, offset, 0xffff_ffffL, value);
  }

  public void setI64(int slot, int offset, long value) {
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
  public void orU16(int slot, int offset, int bits) {
    int shift = (offset & 7) << 3;
    long added = (bits & 0xffffL) << shift;
    if ((word(slot, offset) & added) != added) {
      WORD.getAndBitwiseOr(chunkOf(slot), wordOf(slot, offset), added);
    }
  }

  /** Sets bits of the u8 at a byte offset, atomically. */
  public void orU8(int slot, int offset, int bits) {
    int shift = (offset & 7) << 3;
    long added = (bits & 0xffL) << shift;
    if ((word(slot, offset) & added) != added) {
      WORD.getAndBitwiseOr(chunkOf(slot), wordOf(slot, offset), added);
    }
  }

  /** {@code __sync_fetch_and_add} on the u64 at a byte offset that is a multiple of 8. */
  public void addI64(int slot, int offset, long delta) {
    WORD.getAndAdd(chunkOf(slot), wordOf(slot, offset), delta);
  }

  /** Word {@code word} of the slot's key. */
  public long keyWord(int slot, int word) {
    return (long) WORD.getOpaque(chunkOf(slot), wordOf(slot, 0) - keyWords + word);
  }

  /**
   * The first slot above {@code slot} that holds an entry, or -1: {@code for (int s = nextSlot(-1);
   * s >= 0; s = nextSlot(s))} visits the map without garbage, as conntrack's garbage collection
   * does.
   */
  public int nextSlot(int slot) {
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

  // ---- what programs call: insert and remove

  /** {@link #insert(long, long, long)} for a key of up to 8 bytes. */
  public int insert(long k0) {
    return insert(k0, 0, 0);
  }

  /** {@link #insert(long, long, long)} for a key of up to 16 bytes. */
  public int insert(long k0, long k1) {
    return insert(k0, k1, 0);
  }

  /**
   * The slot of the key, made with an all-zero value if it was not there; -1 if the map is full.
   * For counters, which others may see while they are zero; an entry that must appear whole is
   * written with {@link #update}.
   */
  public int insert(long k0, long k1, long k2) {
    int found = find(k0, k1, k2);
    if (found >= 0) {
      return found;
    }
    synchronized (this) {
      long hash = hash(k0, k1, k2);
      int at = positionOf(hash, k0, k1, k2);
      if (at >= 0) {
        return (int) index[at] - 1;
      }
      int slot = claim();
      if (slot >= 0) {
        write(slot, k0, k1, k2, null, 0);
        publish(hash, slot);
      }
      return slot;
    }
  }

  /** {@code bpf_map_update_elem} with BPF_ANY, for a key of up to 8 bytes. */
  public int update(long k0, byte[] value, int from) {
    return update(k0, 0, 0, value, from, BPF_ANY);
  }

  /** {@code bpf_map_update_elem} with BPF_ANY, for a key of up to 16 bytes. */
  public int update(long k0, long k1, byte[] value, int from) {
    return update(k0, k1, 0, value, from, BPF_ANY);
  }

  /**
   * {@code bpf_map_update_elem}: readers see the old value or the whole new one.
   *
   * @param value holds the value's bytes from index {@code from}
   * @param flags {@link #BPF_ANY}, {@link #BPF_NOEXIST} or {@link #BPF_EXIST}
   * @return 0, or -EEXIST, -ENOENT, or -E2BIG if the map is full
   */
  public synchronized int update(long k0, long k1, long k2, byte[] value, int from, int flags) {
    long hash = hash(k0, k1, k2);
    int at = positionOf(hash, k0, k1, k2);
    if (at >= 0) {
      if (flags == BPF_NOEXIST) {
        return -Errno.EEXIST.number();
      }
      // One slot more than max_entries exists, so that there is always one to write to.
      int old = (int) index[at] - 1;
      int slot = unusedSlot();
      write(slot, k0, k1, k2, value, from);
      WORD.setRelease(index, at, (hash & ~SLOT_MASK) | (slot + 1));
      retire(old);
      return 0;
    }
    if (flags == BPF_EXIST) {
      return -Errno.ENOENT.number();
    }
    int slot = claim();
    if (slot < 0) {
      return -Errno.E2BIG.number();
    }
    write(slot, k0, k1, k2, value, from);
    publish(hash, slot);
    return 0;
  }

  /** {@code bpf_map_delete_elem} for a key of up to 8 bytes. */
  public boolean remove(long k0) {
    return remove(k0, 0, 0);
  }

  /** {@code bpf_map_delete_elem} for a key of up to 16 bytes. */
  public boolean remove(long k0, long k1) {
    return remove(k0, k1, 0);
  }

  /** {@code bpf_map_delete_elem}; answers whether the entry was there. */
  public synchronized boolean remove(long k0, long k1, long k2) {
    int at = positionOf(hash(k0, k1, k2), k0, k1, k2);
    if (at < 0) {
      return false;
    }
    removeAt(at);
    return true;
  }

  // ---- under the lock

  /** Where in the index the key stands, or -1. */
  private int positionOf(long hash, long k0, long k1, long k2) {
    long[] table = index;
    int mask = table.length - 1;
    int at = (int) hash & mask;
    while (true) {
      long word = table[at];
      int low = (int) word;
      if (low == 0) {
        return -1;
      }
      if ((word ^ hash) >>> 32 == 0 && low != GONE && match(low - 1, k0, k1, k2) == low - 1) {
        return at;
      }
      at = at + 1 & mask;
    }
  }

  /** A slot for a new entry, by eviction if need be; -1 if the map is full and not LRU. */
  private int claim() {
    if (live >= maxEntries) {
      if (!lru) {
        return -1;
      }
      evict();
    }
    return unusedSlot();
  }

  private int unusedSlot() {
    // Free slots are reused late, in the order in which they became free.
    if (freeSlots.size() > 0 && (slotsMade > maxEntries || freeSlots.size() * 4 > slotsMade)) {
      return freeSlots.remove();
    }
    if (slotsMade > maxEntries) {
      throw new IllegalStateException(name + " has no slot left, with " + size + " entries");
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
      if (lru) {
        referenced[chunkIndex] = new byte[entries];
      }
      VarHandle.releaseFence(); // forEach finds the chunk without going through the index
      chunks[chunkIndex] = chunk;
    }
    slotsMade++;
    return slot;
  }

  /** Fills a slot that no index word names, and makes its state even. */
  private void write(int slot, long k0, long k1, long k2, byte @Nullable [] value, int from) {
    long[] chunk = chunkOf(slot);
    int at = wordOf(slot, 0) - valueAt;
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
    if (lru) {
      flagsOf(slot)[flagAt(slot)] = 0;
    }
    WORD.setRelease(chunk, at, chunk[at] + 1);
  }

  /** Puts a slot with a new key into the index. */
  private void publish(long hash, int slot) {
    size = ++live;
    if ((indexUsed + 1) * 2 > index.length) {
      rebuildIndex();
    }
    place(index, hash, slot);
  }

  private void place(long[] table, long hash, int slot) {
    int mask = table.length - 1;
    int at = (int) hash & mask;
    while (true) {
      int low = (int) table[at];
      if (low == 0 || low == GONE) {
        if (low == 0) {
          indexUsed++;
        }
        WORD.setRelease(table, at, (hash & ~SLOT_MASK) | (slot + 1));
        return;
      }
      at = at + 1 & mask;
    }
  }

  /**
   * A fresh index without the words of what is gone, at most three eighths full, so that many
   * changes pass until the next.
   */
  private void rebuildIndex() {
    long[] old = index;
    int length = FIRST_CHUNK * 2;
    while (length * 3L < live * 8L) {
      length *= 2;
    }
    long[] table = new long[length];
    indexUsed = 0;
    for (long word : old) {
      int low = (int) word;
      if (low != 0 && low != GONE) {
        int slot = low - 1;
        long k1 = keyWords > 1 ? keyWord(slot, 1) : 0;
        long k2 = keyWords > 2 ? keyWord(slot, 2) : 0;
        place(table, hash(keyWord(slot, 0), k1, k2), slot);
      }
    }
    index = table;
  }

  private void removeAt(int at) {
    long[] table = index;
    int slot = (int) table[at] - 1;
    // A word before an unused one is not needed by any probe: it can be unused too.
    boolean last = (int) table[at + 1 & table.length - 1] == 0;
    WORD.setRelease(table, at, last ? 0L : GONE & SLOT_MASK);
    if (last) {
      indexUsed--;
    }
    retire(slot);
    size = --live;
  }

  /** Makes the state of a slot odd, after the index has forgotten it. */
  private void retire(int slot) {
    long[] chunk = chunkOf(slot);
    int at = wordOf(slot, 0) - valueAt;
    // An atomic exchange, so that what is written into the slot later is not seen before it.
    WORD.getAndAdd(chunk, at, 1L);
    VarHandle.storeStoreFence();
    freeSlots.add(slot);
  }

  // ---- LRU

  private byte[] flagsOf(int slot) {
    return referenced[31 - Integer.numberOfLeadingZeros(slot + FIRST_CHUNK)];
  }

  private static int flagAt(int slot) {
    int biased = slot + FIRST_CHUNK;
    return biased ^ Integer.highestOneBit(biased);
  }

  private void reference(int slot) {
    byte[] flags = flagsOf(slot);
    int at = flagAt(slot);
    if (flags[at] == 0) {
      flags[at] = 1;
    }
  }

  private void evict() {
    int spared = 0;
    int firstSpared = -1;
    while (true) {
      int slot = hand;
      hand = hand + 1 == slotsMade ? 0 : hand + 1;
      if (!isLive(slot)) {
        continue;
      }
      byte[] flags = flagsOf(slot);
      int flag = flagAt(slot);
      boolean used = flags[flag] != 0;
      if (!used || spared == LRU_SCAN) {
        int victim = used ? firstSpared : slot;
        long k1 = keyWords > 1 ? keyWord(victim, 1) : 0;
        long k2 = keyWords > 2 ? keyWord(victim, 2) : 0;
        long k0 = keyWord(victim, 0);
        removeAt(positionOf(hash(k0, k1, k2), k0, k1, k2));
        return;
      }
      flags[flag] = 0;
      if (firstSpared < 0) {
        firstSpared = slot;
      }
      spared++;
    }
  }

  private boolean isLive(int slot) {
    return (stamp(slot) & 1) == 0;
  }

  // ---- what bpf(2) and bpftool call

  @Override
  public int id() {
    return id;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Type type() {
    return lru ? Type.LRU_HASH : Type.HASH;
  }

  @Override
  public int keySize() {
    return keySize;
  }

  @Override
  public int valueSize() {
    return valueSize;
  }

  @Override
  public int maxEntries() {
    return maxEntries;
  }

  @Override
  public int size() {
    return size;
  }

  private long keyWord(byte[] key, int word) {
    return Words.word(key, 0, keySize, word);
  }

  /** Does not count as a use: userland's lookups leave an LRU map's order alone. */
  @Override
  public byte @Nullable [] lookup(byte[] key) {
    if (key.length != keySize) {
      return null;
    }
    long k0 = keyWord(key, 0);
    long k1 = keyWord(key, 1);
    long k2 = keyWord(key, 2);
    long hash = hash(k0, k1, k2);
    while (true) {
      int slot = probe(index, hash, k0, k1, k2);
      if (slot == MISS) {
        return null;
      }
      if (slot >= 0) {
        long stamp = stamp(slot);
        if (holds(slot, k0, k1, k2)) {
          byte[] value = new byte[valueSize];
          Words.copyOut(chunkOf(slot), wordOf(slot, 0), value, 0, valueSize);
          if (stamp(slot) == stamp) {
            return value;
          }
        }
      }
    }
  }

  @Override
  public @Nullable Errno update(byte[] key, byte[] value) {
    if (key.length != keySize || value.length != valueSize) {
      return Errno.EINVAL;
    }
    int result = update(keyWord(key, 0), keyWord(key, 1), keyWord(key, 2), value, 0, BPF_ANY);
    return result == 0 ? null : Errno.E2BIG;
  }

  @Override
  public boolean delete(byte[] key) {
    return key.length == keySize && remove(keyWord(key, 0), keyWord(key, 1), keyWord(key, 2));
  }

  /** In the order of the slots, which is that of insertion until entries are removed. */
  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    for (int chunkIndex = FIRST_CHUNK_SHIFT; chunkIndex < chunks.length; chunkIndex++) {
      long[] chunk = chunks[chunkIndex];
      if (chunk == null) {
        return;
      }
      VarHandle.acquireFence();
      for (int at = 0; at < chunk.length; at += stride) {
        long state = (long) WORD.getAcquire(chunk, at);
        if ((state & 1) != 0) {
          continue;
        }
        byte[] key = new byte[keySize];
        byte[] value = new byte[valueSize];
        Words.copyOut(chunk, at + 1, key, 0, keySize);
        Words.copyOut(chunk, at + valueAt, value, 0, valueSize);
        VarHandle.loadLoadFence();
        if ((long) WORD.getOpaque(chunk, at) == state) {
          entry.accept(key, value);
        }
      }
    }
  }
}
