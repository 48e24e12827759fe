package dev.paramecium.map;

import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.bpf.PerCpuHashMap;

/** {@code cilium_metrics}: packets and bytes by reason and direction. */
public final class MetricsMap {

  private final PerCpuHashMap map;

  MetricsMap(int id, int maxEntries, int cpus) {
    this.map =
        new PerCpuHashMap(
            id, MapNames.METRICS, MetricsKey.SIZE, MetricsValue.SIZE, maxEntries, cpus);
  }

  public PerCpuHashMap map() {
    return map;
  }

  /**
   * {@code update_metrics}: counts one packet.
   *
   * @param reason 0 for forwarded, or a drop reason
   * @param direction of {@link MetricsKey}
   */
  public void count(int reason, int direction, int bytes) {
    int entry = map.insert((reason & 0xffL) | (long) direction << 8);
    if (entry >= 0) {
      map.addI64(entry, MetricsValue.COUNT, 1);
      map.addI64(entry, MetricsValue.BYTES, bytes);
    }
  }
}
