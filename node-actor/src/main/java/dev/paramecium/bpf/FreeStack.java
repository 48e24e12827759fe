package dev.paramecium.bpf;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A stack of free slot numbers for any number of threads, without locks and without garbage.
 *
 * <pre>
 *   head   | changes: 24 bits | how many are free: 20 bits | top slot + 1: 20 bits |
 *   below  slot -> the slot + 1 under it
 * </pre>
 *
 * One compare-and-set of the head takes or gives back. A thread that read {@code below} of a slot
 * which others have taken and given back meanwhile fails its compare-and-set, because every change
 * counts; it would have to sleep through exactly 16,777,216 of them to be fooled.
 */
final class FreeStack {

  static final int MAX_SLOTS = (1 << 20) - 1;

  private static final long SLOT_MASK = (1 << 20) - 1;
  private static final long ONE_FREE = 1L << 20;
  private static final long ONE_CHANGE = 1L << 40;

  private final AtomicLong head = new AtomicLong();
  private final AtomicIntegerArray below;

  /** Empty, with room for slots 0 to {@code slots} - 1. */
  FreeStack(int slots) {
    if (slots < 1 || slots > MAX_SLOTS) {
      throw new IllegalArgumentException(
          "a pool of " + slots + " is out of range: it holds 1 to " + MAX_SLOTS);
    }
    this.below = new AtomicIntegerArray(slots);
  }

  /** A free slot that is the caller's from now on, or -1. */
  int pop() {
    while (true) {
      long seen = head.get();
      int top = (int) (seen & SLOT_MASK);
      if (top == 0) {
        return -1;
      }
      long rest = (seen & ~SLOT_MASK) - ONE_FREE + ONE_CHANGE;
      if (head.compareAndSet(seen, rest | below.getPlain(top - 1))) {
        return top - 1;
      }
    }
  }

  /** Gives a slot back. Its owner's writes happen before whoever pops it. */
  void push(int slot) {
    while (true) {
      long seen = head.get();
      below.setPlain(slot, (int) (seen & SLOT_MASK));
      long rest = (seen & ~SLOT_MASK) + ONE_FREE + ONE_CHANGE;
      if (head.compareAndSet(seen, rest | (slot + 1))) {
        return;
      }
    }
  }

  /** How many slots are free now. */
  int size() {
    return (int) (head.get() >>> 20 & SLOT_MASK);
  }
}
