package dev.paramecium.bpf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A trie's prefixes by exact match, which push-down hides: what a deleted prefix gives way to, and
 * what a dump shows. Open addressing, one reference a prefix. One writer at a time; {@link
 * #snapshot} and {@link #size} from any thread.
 */
final class PrefixTable {

  /** Stands where an entry was, so that those behind it are still found. */
  private static final LpmTrie.Entry GONE = new LpmTrie.Entry(0, 0, -1, 0, 0);

  private static final Comparator<LpmTrie.Entry> BY_PREFIX =
      Comparator.comparingInt(LpmTrie.Entry::staticWord)
          .thenComparing(LpmTrie.Entry::address, Integer::compareUnsigned)
          .thenComparingInt(LpmTrie.Entry::length);

  private volatile LpmTrie.@Nullable Entry[] places = new LpmTrie.@Nullable Entry[8];
  private volatile int size;
  private int live;
  private int used;

  int size() {
    return size;
  }

  LpmTrie.@Nullable Entry get(int staticWord, int address, int length) {
    int at = find(staticWord, address, length);
    return at < 0 ? null : places[at];
  }

  /** Inserts, or replaces the entry of the same prefix. */
  void put(LpmTrie.Entry entry) {
    int at = find(entry.staticWord(), entry.address(), entry.length());
    if (at >= 0) {
      places[at] = entry;
      return;
    }
    if ((used + 1) * 2 > places.length) {
      rebuild();
    }
    place(places, entry);
    size = ++live;
  }

  /** Answers the removed entry, or null. */
  LpmTrie.@Nullable Entry remove(int staticWord, int address, int length) {
    int at = find(staticWord, address, length);
    if (at < 0) {
      return null;
    }
    LpmTrie.Entry removed = places[at];
    places[at] = GONE;
    size = --live;
    return removed;
  }

  /** All entries, by static word, address and length. */
  List<LpmTrie.Entry> snapshot() {
    List<LpmTrie.Entry> entries = new ArrayList<>();
    for (LpmTrie.Entry entry : places) {
      if (entry != null && entry != GONE) {
        entries.add(entry);
      }
    }
    entries.sort(BY_PREFIX);
    return entries;
  }

  private int find(int staticWord, int address, int length) {
    int mask = places.length - 1;
    int at = hash(staticWord, address, length) & mask;
    while (true) {
      LpmTrie.Entry entry = places[at];
      if (entry == null) {
        return -1;
      }
      if (entry.address() == address
          && entry.length() == length
          && entry.staticWord() == staticWord) {
        return at;
      }
      at = at + 1 & mask;
    }
  }

  private void place(LpmTrie.@Nullable Entry[] table, LpmTrie.Entry entry) {
    int mask = table.length - 1;
    int at = hash(entry.staticWord(), entry.address(), entry.length()) & mask;
    while (table[at] != null && table[at] != GONE) {
      at = at + 1 & mask;
    }
    if (table[at] == null) {
      used++;
    }
    table[at] = entry;
  }

  private void rebuild() {
    int length = 8;
    while (length * 3L < (live + 1) * 8L) {
      length *= 2;
    }
    LpmTrie.@Nullable Entry[] table = new LpmTrie.@Nullable Entry[length];
    used = 0;
    for (LpmTrie.Entry entry : places) {
      if (entry != null && entry != GONE) {
        place(table, entry);
      }
    }
    places = table;
  }

  private static int hash(int staticWord, int address, int length) {
    int h = (address ^ staticWord * 0x85ebca6b ^ length * 0xc2b2ae35) * 0x9e3779b1;
    return h ^ h >>> 15;
  }
}
