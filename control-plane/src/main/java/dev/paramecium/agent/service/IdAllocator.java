package dev.paramecium.agent.service;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Numbers for addresses, the next free one each time ({@code pkg/service/id_local.go}): a number
 * that was given back is not used again before the others had their turn, so that what still
 * carries it does not meet another owner.
 */
final class IdAllocator {

  private final int max;
  private final Map<L3n4Addr, Integer> ids = new HashMap<>();
  private final Map<Integer, L3n4Addr> owners = new HashMap<>();
  private int next = 1;

  /**
   * @param max one more than the largest number
   */
  IdAllocator(int max) {
    this.max = max;
  }

  /** The address's number, or null. */
  @Nullable Integer of(L3n4Addr address) {
    return ids.get(address);
  }

  /**
   * The address's number; a new one if it has none.
   *
   * @param wanted the number that it shall have, 0 for the next free one
   * @throws IllegalStateException if the number is another's, or none is free
   */
  int acquire(L3n4Addr address, int wanted) {
    Integer known = ids.get(address);
    if (known != null) {
      return known;
    }
    if (wanted != 0) {
      L3n4Addr owner = owners.get(wanted);
      if (owner != null) {
        throw new IllegalStateException(
            "Service ID " + wanted + " is already registered to \"" + owner + "\"");
      }
      return put(address, wanted);
    }
    for (int tried = 1; tried < max; tried++) {
      int candidate = next;
      next = next + 1 == max ? 1 : next + 1;
      if (!owners.containsKey(candidate)) {
        return put(address, candidate);
      }
    }
    throw new IllegalStateException("no service ID available");
  }

  private int put(L3n4Addr address, int id) {
    ids.put(address, id);
    owners.put(id, address);
    return id;
  }

  void release(int id) {
    L3n4Addr owner = owners.remove(id);
    if (owner != null) {
      ids.remove(owner);
    }
  }
}
