package dev.paramecium.bpf;

/** A first-in-first-out queue of slot numbers on a ring that grows; not for several threads. */
final class SlotQueue {

  private int[] ring = new int[16];
  private int first;
  private int size;

  int size() {
    return size;
  }

  void add(int slot) {
    if (size == ring.length) {
      int[] larger = new int[size * 2];
      for (int i = 0; i < size; i++) {
        larger[i] = ring[first + i & size - 1];
      }
      ring = larger;
      first = 0;
    }
    ring[first + size & ring.length - 1] = slot;
    size++;
  }

  /** The slot that has waited longest; there must be one. */
  int remove() {
    int slot = ring[first];
    first = first + 1 & ring.length - 1;
    size--;
    return slot;
  }
}
