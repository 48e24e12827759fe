package dev.paramecium.map;

import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfHashMap;

/** {@code cilium_tunnel_map}: pod CIDR → the node that has it. */
public final class TunnelMap {

  private final BpfHashMap map;

  TunnelMap(int id, int maxEntries) {
    this.map = BpfHashMap.hash(id, MapNames.TUNNEL, EndpointKey.SIZE, EndpointKey.SIZE, maxEntries);
  }

  public BpfHashMap map() {
    return map;
  }

  /** The address of the node that has the pod network, or 0. */
  public int nodeOf(int network) {
    int entry = map.find(Integer.reverseBytes(network) & 0xffff_ffffL, 0, EndpointMap.FAMILY_IPV4);
    return entry < 0 ? 0 : Integer.reverseBytes(map.i32(entry, 0));
  }
}
