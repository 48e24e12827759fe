package dev.paramecium.bpf;

/**
 * Chooses what a full LRU map evicts: a hand goes around the slots, spares those that were looked
 * up since it last came by, and stops at the first that was not.
 *
 * <pre>
 *   slots   0  1  2  3  4  5 …
 *   marks   x  –  x  x  –  x          x: looked up
 *              ^ victim; the mark of 0 is gone, slot 0 is next in a round
 * </pre>
 *
 * After {@value #SCAN} spared entries the first of them goes, a bound that the kernel has too. Any
 * thread marks; choosing is under the map's lock.
 */
final class LruHand {

  private static final int SCAN = 128;

  /** One byte for each slot, in chunks as the entries are. */
  private final byte[][] marks = new byte[32][];

  private int hand;

  /** Notes that a slot's entry was looked up. */
  void mark(int slot) {
    byte[] chunk = chunkOf(slot);
    int at = indexOf(slot);
    if (chunk[at] == 0) { // most are marked already: reading is cheaper than fighting over a line
      chunk[at] = 1;
    }
  }

  /** Makes room for a slot's mark and clears it, before the slot is published. */
  void clear(int slot) {
    int biased = slot + EntrySlots.FIRST_CHUNK;
    int chunkIndex = 31 - Integer.numberOfLeadingZeros(biased);
    if (marks[chunkIndex] == null) {
      marks[chunkIndex] = new byte[1 << chunkIndex];
    }
    marks[chunkIndex][indexOf(slot)] = 0;
  }

  /** The slot of an entry to evict; there must be an entry. */
  int victim(EntrySlots slots) {
    int spared = 0;
    int firstSpared = -1;
    while (true) {
      int slot = hand;
      hand = hand + 1 == slots.slotsMade() ? 0 : hand + 1;
      if (!slots.isLive(slot)) {
        continue;
      }
      byte[] chunk = chunkOf(slot);
      int at = indexOf(slot);
      if (chunk[at] == 0) {
        return slot;
      }
      if (spared == SCAN) {
        return firstSpared;
      }
      chunk[at] = 0;
      if (firstSpared < 0) {
        firstSpared = slot;
      }
      spared++;
    }
  }

  private byte[] chunkOf(int slot) {
    return marks[31 - Integer.numberOfLeadingZeros(slot + EntrySlots.FIRST_CHUNK)];
  }

  private static int indexOf(int slot) {
    int biased = slot + EntrySlots.FIRST_CHUNK;
    return biased ^ Integer.highestOneBit(biased);
  }
}
