package dev.paramecium.agent;

import java.util.BitSet;
import java.util.random.RandomGenerator;

/**
 * Hands out endpoint ids, 1 to 4095, at random ({@code pkg/endpointmanager/idallocator}), so that
 * an id is rarely reused soon.
 */
final class EndpointIds {

  static final int MAX = 4095;

  private final RandomGenerator random;
  private final BitSet taken = new BitSet(MAX + 1);

  EndpointIds(RandomGenerator random) {
    this.random = random;
    taken.set(0);
  }

  /** A free id, or 0 if there is none. */
  int allocate() {
    int free = MAX + 1 - taken.cardinality();
    if (free == 0) {
      return 0;
    }
    int id = 0;
    for (int nth = random.nextInt(free); nth >= 0; nth--) {
      id = taken.nextClearBit(id + 1);
    }
    taken.set(id);
    return id;
  }

  /** Takes a certain id; false if it is taken or out of range. */
  boolean reserve(int id) {
    if (id < 1 || id > MAX || taken.get(id)) {
      return false;
    }
    taken.set(id);
    return true;
  }

  void release(int id) {
    taken.clear(id);
  }
}
