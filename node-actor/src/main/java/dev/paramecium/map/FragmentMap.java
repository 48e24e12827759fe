package dev.paramecium.map;

import dev.paramecium.abi.FragmentKey;
import dev.paramecium.abi.FragmentValue;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfHashMap;

/** {@code cilium_ipv4_frag_datagrams}: the ports that only a datagram's first fragment carries. */
public final class FragmentMap {

  private final BpfHashMap map;

  FragmentMap(int id, int maxEntries) {
    this.map =
        BpfHashMap.lru(id, MapNames.FRAGMENTS, FragmentKey.SIZE, FragmentValue.SIZE, maxEntries);
  }

  public BpfHashMap map() {
    return map;
  }

  /** The entry of a datagram, or -1; addresses and identification in host order. */
  public int find(int source, int destination, int identification, int protocol) {
    return map.find(addresses(source, destination), rest(identification, protocol));
  }

  /** Both ports in host order, the source's in the upper half. */
  public int ports(int entry) {
    return Integer.reverseBytes(map.i32(entry, FragmentValue.SPORT));
  }

  /**
   * Remembers the ports of a datagram.
   *
   * @param ports holds the two ports in network order at index 0
   * @return 0 or a negative errno
   */
  public int update(int source, int destination, int identification, int protocol, byte[] ports) {
    return map.update(addresses(source, destination), rest(identification, protocol), ports, 0);
  }

  private static long addresses(int source, int destination) {
    return Long.reverseBytes((long) destination << 32 | (source & 0xffff_ffffL));
  }

  private static long rest(int identification, int protocol) {
    return (Short.reverseBytes((short) identification) & 0xffffL) | (long) protocol << 16;
  }
}
