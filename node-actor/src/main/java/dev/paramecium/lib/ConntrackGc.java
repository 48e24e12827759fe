package dev.paramecium.lib;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.map.ConntrackMaps;

/**
 * Garbage collection of conntrack, as cilium-agent does it ({@code pkg/maps/ctmap}): takes entries
 * whose lifetime is over. Programs go on meanwhile; an entry that one of them keeps alive between
 * the look and the removal is lost, as it is there.
 */
public final class ConntrackGc {

  private ConntrackGc() {}

  /**
   * @param nowSeconds since boot, the unit of lifetimes
   * @return how many entries were removed
   */
  public static int collect(ConntrackMaps maps, int nowSeconds) {
    return collect(maps.tcp(), nowSeconds) + collect(maps.any(), nowSeconds);
  }

  private static int collect(BpfHashMap map, int nowSeconds) {
    int removed = 0;
    for (int slot = map.nextSlot(-1); slot >= 0; slot = map.nextSlot(slot)) {
      long stamp = map.stamp(slot);
      long k0 = map.keyWord(slot, 0);
      long k1 = map.keyWord(slot, 1);
      int lifetime = map.i32(slot, CtEntry.OFF_LIFETIME);
      boolean same = (stamp & 1) == 0 && map.stamp(slot) == stamp;
      if (same && Integer.compareUnsigned(lifetime, nowSeconds) < 0 && map.remove(k0, k1)) {
        removed++;
      }
    }
    return removed;
  }
}
