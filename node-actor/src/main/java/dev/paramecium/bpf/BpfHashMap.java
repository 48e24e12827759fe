package dev.paramecium.bpf;

import dev.paramecium.syscall.Errno;
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
 * A full LRU map evicts what was not looked up lately: see {@link LruHand}.
 */
public final class BpfHashMap extends EntrySlots implements BpfMap {

  /** The value is created or replaced. */
  public static final int BPF_ANY = 0;

  /** Only created: fails with -EEXIST. */
  public static final int BPF_NOEXIST = 1;

  /** Only replaced: fails with -ENOENT. */
  public static final int BPF_EXIST = 2;

  /** Low half of an index word whose entry is gone; 0 is one that was never used. */
  private static final int GONE = -1;

  private static final long SLOT_MASK = 0xffff_ffffL;

  private final int id;
  private final String name;
  private final @Nullable LruHand lru;

  private volatile long[] index = new long[FIRST_CHUNK * 2];
  private volatile int size;

  // Under the lock of this map.
  private int limit;
  private int live;
  private int indexUsed;

  private BpfHashMap(
      int id, String name, @Nullable LruHand lru, int keySize, int valueSize, int maxEntries) {
    super(name, keySize, valueSize, maxEntries);
    this.id = id;
    this.name = name;
    this.lru = lru;
    this.limit = maxEntries;
  }

  @Override
  public synchronized boolean fill(boolean full) {
    // An LRU map evicts one entry for each new one: there must be one.
    limit = !full ? maxEntries : lru == null ? live : Math.max(1, live);
    return true;
  }

  /** BPF_MAP_TYPE_HASH: refuses new keys when full. */
  public static BpfHashMap hash(int id, String name, int keySize, int valueSize, int maxEntries) {
    return new BpfHashMap(id, name, null, keySize, valueSize, maxEntries);
  }

  /** BPF_MAP_TYPE_LRU_HASH: makes room when full. */
  public static BpfHashMap lru(int id, String name, int keySize, int valueSize, int maxEntries) {
    return new BpfHashMap(id, name, new LruHand(), keySize, valueSize, maxEntries);
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
        if (lru != null) {
          lru.mark(slot);
        }
        return slot;
      }
      if (slot == MISS) {
        return -1;
      }
    }
  }

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

  /**
   * Whether the index really names a slot with another key of the same 32 hash bits. Otherwise the
   * wanted key moved to another slot, and this one was reused, after its index word was read.
   */
  @SuppressWarnings("ReferenceEquality") // the same index, not an equal one
  private boolean collides(long[] table, int indexAt, long word, long k0, long k1, long k2) {
    int slot = (int) word - 1;
    long state = stateIfOther(slot, k0, k1, k2);
    boolean named = (long) WORD.getAcquire(table, indexAt) == word && table == index;
    return state >= 0 && named && stamp(slot) == state;
  }

  /** Spreads the key over 64 bits: the low half chooses the place, the high half is compared. */
  static long hash(long k0, long k1, long k2) {
    long h = (k0 ^ 0x9e3779b97f4a7c15L) * 0xbf58476d1ce4e5b9L;
    h = (h ^ h >>> 32 ^ k1) * 0x94d049bb133111ebL;
    h = (h ^ h >>> 29 ^ k2) * 0xd6e8feb86659fd93L;
    return h ^ h >>> 32;
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
        store(slot, k0, k1, k2, null, 0);
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
      store(slot, k0, k1, k2, value, from);
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
    store(slot, k0, k1, k2, value, from);
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
    if (live >= limit) {
      if (lru == null) {
        return -1;
      }
      int victim = lru.victim(this);
      removeAt(positionOf(hashOf(victim), keyWord(victim, 0), k1Of(victim), k2Of(victim)));
    }
    return unusedSlot();
  }

  private void store(int slot, long k0, long k1, long k2, byte @Nullable [] value, int from) {
    if (lru != null) {
      lru.clear(slot);
    }
    write(slot, k0, k1, k2, value, from);
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
        place(table, hashOf(slot), slot);
      }
    }
    index = table;
  }

  private long hashOf(int slot) {
    return hash(keyWord(slot, 0), k1Of(slot), k2Of(slot));
  }

  private long k1Of(int slot) {
    return keyWords > 1 ? keyWord(slot, 1) : 0;
  }

  private long k2Of(int slot) {
    return keyWords > 2 ? keyWord(slot, 2) : 0;
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
    return lru != null ? Type.LRU_HASH : Type.HASH;
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
          byte[] value = copyValue(slot);
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
    forEachSlot(entry);
  }
}
