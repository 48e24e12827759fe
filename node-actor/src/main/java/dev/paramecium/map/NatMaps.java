package dev.paramecium.map;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.bpf.LpmTrie;

/**
 * {@code cilium_snat_v4_external}, two entries for each translated connection, {@code
 * cilium_nodeport_neigh4}, the MAC of each client of a NodePort, and {@code cilium_ipmasq_v4}, the
 * networks that see pods' own addresses.
 */
public final class NatMaps {

  private static final int NEIGHBOR_KEY_SIZE = 4;
  private static final int MAC_SIZE = 6;
  private static final int EXCLUSION_SIZE = 1;
  private static final int EXCLUSIONS = 16384;

  private final BpfHashMap snat;
  private final BpfHashMap neighbors;
  private final LpmTrie masqueradeExclusions;

  NatMaps(int snatId, int neighborsId, int exclusionsId, int maxEntries) {
    this.snat =
        BpfHashMap.lru(
            snatId, MapNames.SNAT_V4_EXTERNAL, CtTuple.SIZE, Ipv4NatEntry.SIZE, maxEntries);
    this.neighbors =
        BpfHashMap.lru(
            neighborsId, MapNames.NODEPORT_NEIGH4, NEIGHBOR_KEY_SIZE, MAC_SIZE, maxEntries);
    this.masqueradeExclusions =
        LpmTrie.plain(exclusionsId, MapNames.IPMASQ_V4, EXCLUSION_SIZE, EXCLUSIONS);
  }

  public BpfHashMap snat() {
    return snat;
  }

  public BpfHashMap neighbors() {
    return neighbors;
  }

  public LpmTrie masqueradeExclusions() {
    return masqueradeExclusions;
  }

  /** Whether pods show a destination their own addresses. */
  public boolean isMasqueradeExcluded(int destination) {
    return masqueradeExclusions.find(destination) != null;
  }

  /** What the source (of an egress key) or destination (of an ingress key) becomes. */
  public int toAddress(int entry) {
    return Integer.reverseBytes(snat.i32(entry, Ipv4NatEntry.ADDRESS));
  }

  public int toPort(int entry) {
    return Short.reverseBytes((short) snat.u16(entry, Ipv4NatEntry.PORT)) & 0xffff;
  }

  public boolean isHostLocal(int entry) {
    return snat.i64(entry, Ipv4NatEntry.HOST_LOCAL) != 0;
  }

  /** The MAC of a client, or -1. */
  public long neighborOf(int address) {
    int entry = neighbors.find(Integer.reverseBytes(address) & 0xffff_ffffL);
    return entry < 0 ? -1 : Long.reverseBytes(neighbors.i64(entry, 0)) >>> 16;
  }

  /**
   * @param mac six bytes
   */
  public int updateNeighbor(int address, byte[] mac) {
    return neighbors.update(Integer.reverseBytes(address) & 0xffff_ffffL, mac, 0);
  }
}
