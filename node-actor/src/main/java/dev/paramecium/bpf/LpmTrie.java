package dev.paramecium.bpf;

import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.syscall.Errno;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * BPF_MAP_TYPE_LPM_TRIE for IPv4: longest prefix match in at most four dependent loads.
 *
 * <pre>
 *   key      | prefixlen u32 | static word u32, compared exactly | address, network order | zeros |
 *
 *   static word -> table[256] by the first octet
 *                    | entry | table[256] by the second octet | – | entry | …
 *                                | …                                          to the fourth
 * </pre>
 *
 * A prefix that ends inside an octet fills all places that it covers and that nothing longer has
 * (push-down), so that a lookup never goes back. Tables are made where prefixes go deeper than an
 * octet and taken away when all their places agree again: an ipcache with the pods of one /24 has
 * five of them. A flat 16-bit first level would save one load that is always in the cache, and cost
 * 256 KiB for each node of a cluster that runs in one JVM.
 *
 * <p>Entries are immutable; replacing one is one reference store. So a reader, who takes no lock,
 * sees for each update either the old entry or the new, and what it holds stays as it was. An
 * update that covers many places becomes visible address by address. Writers exclude one another.
 */
public final class LpmTrie extends AttributedMap {

  private static final VarHandle PLACE = MethodHandles.arrayElementVarHandle(Object[].class);
  private static final int OCTETS = 4;

  /** A prefix and its value, at most 16 bytes as two little-endian words. */
  public static final class Entry {

    private final int staticWord;
    private final int address;
    private final int length;
    private final long value0;
    private final long value1;

    Entry(int staticWord, int address, int length, long value0, long value1) {
      this.staticWord = staticWord;
      this.address = address;
      this.length = length;
      this.value0 = value0;
      this.value1 = value1;
    }

    /** What stands between prefix length and address, as the machine reads it. */
    public int staticWord() {
      return staticWord;
    }

    /** The prefix's address in host order. */
    public int address() {
      return address;
    }

    /** The prefix's length, 0 to 32. */
    public int length() {
      return length;
    }

    /** The u8 at a byte offset of the value. */
    public int u8(int offset) {
      return (int) (word(offset) >>> ((offset & 7) << 3)) & 0xff;
    }

    /** The little-endian u16 at an even byte offset. */
    public int u16(int offset) {
      return (int) (word(offset) >>> ((offset & 7) << 3)) & 0xffff;
    }

    /** The little-endian 32 bits at a byte offset that is a multiple of 4. */
    public int i32(int offset) {
      return (int) (word(offset) >>> ((offset & 7) << 3));
    }

    /** The little-endian 64 bits at offset 0 or 8. */
    public long i64(int offset) {
      return word(offset);
    }

    private long word(int offset) {
      return offset < 8 ? value0 : value1;
    }
  }

  /** The tables of each static word, sorted by it; replaced as a whole. */
  private static final class Roots {
    private final int[] staticWords;
    private final Object[][] tables;

    private Roots(int[] staticWords, Object[][] tables) {
      this.staticWords = staticWords;
      this.tables = tables;
    }
  }

  private final int staticBytes;
  private final int onlyStaticWord;

  private volatile Roots roots = new Roots(new int[0], new Object[0][]);
  private final PrefixTable prefixes = new PrefixTable();
  private int limit;

  private LpmTrie(
      int id,
      String name,
      int keySize,
      int valueSize,
      int maxEntries,
      int staticBytes,
      int onlyStaticWord) {
    super(id, name, Type.LPM_TRIE, keySize, valueSize, maxEntries);
    if (keySize < 8 + staticBytes || valueSize < 1 || valueSize > 16 || maxEntries < 1) {
      throw new IllegalArgumentException(
          name
              + " with keys of "
              + keySize
              + " and values of "
              + valueSize
              + " bytes, max_entries "
              + maxEntries
              + ": values have 1 to 16 bytes, keys a prefix length, "
              + staticBytes
              + " static bytes and an address");
    }
    this.staticBytes = staticBytes;
    this.onlyStaticWord = onlyStaticWord;
    this.limit = maxEntries;
  }

  /**
   * The layout of {@code cilium_ipcache}: prefix length, a static word that is always {@code
   * staticWord} (3 bytes of padding and the family), the address in a field that may be longer.
   */
  public static LpmTrie withStaticWord(
      int id, String name, int keySize, int valueSize, int maxEntries, int staticWord) {
    return new LpmTrie(id, name, keySize, valueSize, maxEntries, Integer.BYTES, staticWord);
  }

  /**
   * The layout of {@code cilium_lb4_source_range} and {@code cilium_egress_gw_policy_v4}: prefix
   * length, any static word, the address.
   */
  public static LpmTrie withStaticWords(int id, String name, int valueSize, int maxEntries) {
    return new LpmTrie(id, name, 12, valueSize, maxEntries, Integer.BYTES, 0);
  }

  /** The layout of {@code cilium_ipmasq_v4}: prefix length and address. */
  public static LpmTrie plain(int id, String name, int valueSize, int maxEntries) {
    return new LpmTrie(id, name, 8, valueSize, maxEntries, 0, 0);
  }

  // ---- what programs call

  /** The entry of the longest prefix that covers an address in host order, or null. */
  public @Nullable Entry find(int address) {
    return find(onlyStaticWord, address);
  }

  /**
   * The same under a static word, the four bytes between prefix length and address as the machine
   * reads them.
   */
  public @Nullable Entry find(int staticWord, int address) {
    Object @Nullable [] table = tableOf(staticWord);
    if (table == null) {
      return null;
    }
    int shift = 24;
    while (true) {
      Object place = PLACE.getAcquire(table, address >>> shift & 0xff);
      if (place instanceof Entry entry) { // asked first: a final class is one comparison
        return entry;
      }
      if (place == null) {
        return null;
      }
      table = (Object[]) place;
      shift -= 8;
    }
  }

  private Object @Nullable [] tableOf(int staticWord) {
    Roots now = roots;
    int[] words = now.staticWords;
    if (words.length == 1) {
      return words[0] == staticWord ? now.tables[0] : null;
    }
    int at = Arrays.binarySearch(words, staticWord);
    return at >= 0 ? now.tables[at] : null;
  }

  // ---- writers

  @Override
  public synchronized boolean fill(boolean full) {
    limit = full ? prefixes.size() : maxEntries;
    return true;
  }

  /**
   * Inserts or replaces a prefix under a static word.
   *
   * @param address in host order; bits beyond {@code length} are ignored
   * @return null if done, ENOSPC if the trie is full, EINVAL for a length over 32 or a value of the
   *     wrong size
   */
  public synchronized @Nullable Errno update(
      int staticWord, int address, int length, byte[] value) {
    if (length < 0 || length > 32 || value.length != valueSize) {
      return Errno.EINVAL;
    }
    int network = address & Ipv4Prefix.mask(length);
    if (prefixes.get(staticWord, network, length) == null && prefixes.size() >= limit) {
      return Errno.ENOSPC;
    }
    Entry entry =
        new Entry(
            staticWord,
            network,
            length,
            Words.word(value, 0, valueSize, 0),
            Words.word(value, 0, valueSize, 1));
    prefixes.put(entry);
    pushDown(rootFor(staticWord), entry);
    return null;
  }

  private Object[] rootFor(int staticWord) {
    Object[] table = tableOf(staticWord);
    if (table != null) {
      return table;
    }
    Roots now = roots;
    int at = -Arrays.binarySearch(now.staticWords, staticWord) - 1;
    int count = now.staticWords.length;
    int[] words = Arrays.copyOf(now.staticWords, count + 1);
    Object[][] tables = Arrays.copyOf(now.tables, count + 1);
    System.arraycopy(words, at, words, at + 1, count - at);
    System.arraycopy(tables, at, tables, at + 1, count - at);
    words[at] = staticWord;
    tables[at] = new Object[256];
    roots = new Roots(words, tables);
    return tables[at];
  }

  private static void pushDown(Object[] root, Entry entry) {
    Object[] table = root;
    int shift = 24;
    for (int octet = 1; octet < OCTETS && entry.length > octet * 8; octet++) {
      int at = entry.address >>> shift & 0xff;
      if (table[at] instanceof Object[] deeper) {
        table = deeper;
      } else {
        Object[] deeper = new Object[256];
        Arrays.fill(deeper, table[at]);
        PLACE.setRelease(table, at, deeper);
        table = deeper;
      }
      shift -= 8;
    }
    int first = entry.address >>> shift & 0xff;
    int covered = 1 << (32 - shift - entry.length);
    fill(table, first, covered, entry);
  }

  /** Puts the entry wherever nothing longer stands. */
  private static void fill(Object[] table, int first, int count, Entry entry) {
    for (int at = first; at < first + count; at++) {
      if (table[at] instanceof Object[] deeper) {
        fill(deeper, 0, 256, entry);
      } else if (table[at] == null || ((Entry) table[at]).length <= entry.length) {
        PLACE.setRelease(table, at, entry);
      }
    }
  }

  /** Takes a prefix away; answers whether it was there. */
  public synchronized boolean remove(int staticWord, int address, int length) {
    if (length < 0 || length > 32) {
      return false;
    }
    int network = address & Ipv4Prefix.mask(length);
    Entry gone = prefixes.remove(staticWord, network, length);
    Object[] root = tableOf(staticWord);
    if (gone == null || root == null) {
      return false;
    }
    Entry shorter = null;
    for (int bits = length - 1; bits >= 0 && shorter == null; bits--) {
      shorter = prefixes.get(staticWord, network & Ipv4Prefix.mask(bits), bits);
    }
    pullUp(root, 24, gone, shorter);
    return true;
  }

  /** Puts {@code shorter} wherever {@code gone} stands, and drops tables whose places agree. */
  private static void pullUp(Object[] table, int shift, Entry gone, @Nullable Entry shorter) {
    int first = gone.address >>> shift & 0xff;
    if (gone.length > 32 - shift) {
      if (table[first] instanceof Object[] deeper) {
        pullUp(deeper, shift - 8, gone, shorter);
        dropIfUniform(table, first, deeper);
      }
      return;
    }
    int covered = 1 << (32 - shift - gone.length);
    for (int at = first; at < first + covered; at++) {
      replace(table, at, gone, shorter);
    }
  }

  private static void replace(Object[] table, int at, Entry gone, @Nullable Entry shorter) {
    if (table[at] instanceof Object[] deeper) {
      for (int i = 0; i < 256; i++) {
        replace(deeper, i, gone, shorter);
      }
    } else if (table[at] == gone) {
      PLACE.setRelease(table, at, shorter);
    }
  }

  @SuppressWarnings("ReferenceEquality") // the same entry, not an equal one
  private static void dropIfUniform(Object[] table, int at, Object[] deeper) {
    Object first = deeper[0];
    if (first instanceof Object[]) {
      return;
    }
    for (Object place : deeper) {
      if (place != first) {
        return;
      }
    }
    PLACE.setRelease(table, at, first);
  }

  // ---- what bpf(2) and bpftool call

  @Override
  public int size() {
    return prefixes.size();
  }

  /** The prefix length of the address in a key, or -1 if the key is not one of this trie's. */
  private int lengthOf(byte[] key) {
    if (key.length != keySize) {
      return -1;
    }
    int length = Words.i32(key) - staticBytes * 8;
    boolean ours =
        length >= 0 && length <= 32 && (onlyStaticWord == 0 || staticWordOf(key) == onlyStaticWord);
    return ours ? length : -1;
  }

  private int staticWordOf(byte[] key) {
    return staticBytes == 0 ? 0 : Words.i32(key, 4);
  }

  private int addressOf(byte[] key) {
    return Integer.reverseBytes(Words.i32(key, 4 + staticBytes));
  }

  /**
   * The value of the longest prefix that covers the key's own, which is what the kernel answers.
   */
  @Override
  public byte @Nullable [] lookup(byte[] key) {
    int length = lengthOf(key);
    if (length < 0) {
      return null;
    }
    int staticWord = staticWordOf(key);
    int address = addressOf(key);
    Entry found = find(staticWord, address);
    if (found != null && found.length > length) {
      found = null;
      synchronized (this) {
        for (int bits = length; bits >= 0 && found == null; bits--) {
          found = prefixes.get(staticWord, address & Ipv4Prefix.mask(bits), bits);
        }
      }
    }
    return found == null ? null : valueOf(found);
  }

  private byte[] valueOf(Entry entry) {
    byte[] value = new byte[valueSize];
    Words.copyOut(new long[] {entry.value0, entry.value1}, 0, value, 0, valueSize);
    return value;
  }

  private byte[] keyOf(Entry entry) {
    byte[] key = new byte[keySize];
    Words.setI32(key, 0, staticBytes * 8 + entry.length);
    if (staticBytes != 0) {
      Words.setI32(key, 4, entry.staticWord);
    }
    Words.setI32(key, 4 + staticBytes, Integer.reverseBytes(entry.address));
    return key;
  }

  /** ENOSPC if the trie is full, as the kernel; EINVAL also for a prefix over 32 address bits. */
  @Override
  public @Nullable Errno update(byte[] key, byte[] value) {
    int length = lengthOf(key);
    return length < 0 ? Errno.EINVAL : update(staticWordOf(key), addressOf(key), length, value);
  }

  @Override
  public boolean delete(byte[] key) {
    int length = lengthOf(key);
    return length >= 0 && remove(staticWordOf(key), addressOf(key), length);
  }

  /** In the order of the addresses, shorter prefixes first. */
  @Override
  public void forEach(BiConsumer<byte[], byte[]> entry) {
    for (Entry found : prefixes.snapshot()) {
      entry.accept(keyOf(found), valueOf(found));
    }
  }
}
