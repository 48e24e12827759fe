package dev.paramecium.datapath;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The node's devices by ifindex. The kernel writes, any thread reads: a reader sees the table
 * before or after a change.
 */
public final class DeviceTable {

  private volatile @Nullable DevicePort[] byIfindex = new @Nullable DevicePort[16];

  /** The device, or null. */
  public @Nullable DevicePort get(int ifindex) {
    @Nullable DevicePort[] table = byIfindex;
    return ifindex > 0 && ifindex < table.length ? table[ifindex] : null;
  }

  public synchronized void add(DevicePort port) {
    int ifindex = port.ifindex();
    @Nullable DevicePort[] next =
        Arrays.copyOf(byIfindex, Math.max(byIfindex.length, Integer.highestOneBit(ifindex) * 2));
    next[ifindex] = port;
    byIfindex = next;
  }

  public synchronized void remove(int ifindex) {
    @Nullable DevicePort[] next = byIfindex.clone();
    next[ifindex] = null;
    byIfindex = next;
  }

  /** All devices, by ifindex. */
  public List<DevicePort> all() {
    List<DevicePort> all = new ArrayList<>();
    Arrays.stream(byIfindex).filter(Objects::nonNull).forEach(all::add);
    return all;
  }
}
