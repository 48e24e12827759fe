package dev.paramecium.map;

import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.bpf.BpfHashMap;

/** {@code cilium_policy_NNNNN}: what one endpoint may say and hear. */
public final class PolicyMap {

  private final BpfHashMap map;

  private PolicyMap(BpfHashMap map) {
    this.map = map;
  }

  public static PolicyMap create(int id, int endpointId) {
    return create(id, endpointId, MapSizes.DEFAULT.policy());
  }

  public static PolicyMap create(int id, int endpointId, int maxEntries) {
    return new PolicyMap(
        BpfHashMap.hash(
            id, MapNames.policyMapName(endpointId), PolicyKey.SIZE, PolicyEntry.SIZE, maxEntries));
  }

  public BpfHashMap map() {
    return map;
  }

  /**
   * The entry of exactly this key, or -1.
   *
   * @param identity the peer's, 0 for any
   * @param port in host order, 0 for any
   * @param protocol 0 for any
   */
  public int find(int identity, int port, int protocol, boolean egress) {
    return map.find(
        (identity & 0xffff_ffffL)
            | (Short.reverseBytes((short) port) & 0xffffL) << 32
            | (long) protocol << 48
            | (egress ? 1L << 56 : 0));
  }

  public boolean isDeny(int entry) {
    return (map.u8(entry, PolicyEntry.FLAGS) & PolicyEntry.FLAG_DENY) != 0;
  }

  /** In network order, as the datapath passes it on; 0 for none. */
  public int rawProxyPort(int entry) {
    return map.u16(entry, PolicyEntry.PROXY_PORT);
  }

  /** Counts a packet that the entry decided about. */
  public void account(int entry, int bytes) {
    map.addI64(entry, PolicyEntry.PACKETS, 1);
    map.addI64(entry, PolicyEntry.BYTES, bytes);
  }
}
