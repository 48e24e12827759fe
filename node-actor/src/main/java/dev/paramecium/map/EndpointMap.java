package dev.paramecium.map;

import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfHashMap;

/** {@code cilium_lxc}: addresses of this node's endpoints, and of the node itself. */
public final class EndpointMap {

  /** Family IPv4, key 0: the last word of an {@code endpoint_key}. */
  static final long FAMILY_IPV4 = 1;

  private final BpfHashMap map;

  EndpointMap(int id, int maxEntries) {
    this.map = BpfHashMap.hash(id, MapNames.LXC, EndpointKey.SIZE, EndpointInfo.SIZE, maxEntries);
  }

  public BpfHashMap map() {
    return map;
  }

  /** {@code lookup_ip4_endpoint}: the entry of an address in host order, or -1. */
  public int find(int address) {
    return map.find(Integer.reverseBytes(address) & 0xffff_ffffL, 0, FAMILY_IPV4);
  }

  /** Whether the address is the node's own. */
  public boolean isHost(int entry) {
    return (map.i32(entry, EndpointInfo.FLAGS) & EndpointInfo.FLAG_HOST) != 0;
  }

  public int ifindex(int entry) {
    return map.i32(entry, EndpointInfo.IFINDEX);
  }

  public int lxcId(int entry) {
    return map.u16(entry, EndpointInfo.LXC_ID);
  }

  /** eth0's address in the pod, as a number. */
  public long mac(int entry) {
    return Long.reverseBytes(map.i64(entry, EndpointInfo.MAC)) >>> 16;
  }

  /** The lxc device's address, as a number. */
  public long nodeMac(int entry) {
    return Long.reverseBytes(map.i64(entry, EndpointInfo.NODE_MAC)) >>> 16;
  }

  /** {@code 10.42.0.51:0}. */
  public static String keyText(int address) {
    return new EndpointKey(new Ipv4Address(address)).toString();
  }

  /** {@code id=2826 flags=0x0000 ifindex=29 mac=… nodemac=…}; empty for -1. */
  public String valueText(int entry, int address) {
    byte[] value =
        entry < 0 ? null : map.lookup(new EndpointKey(new Ipv4Address(address)).encode());
    return value == null ? "" : EndpointInfo.decode(value).toString();
  }
}
