package dev.paramecium.map;

import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.SockKey;
import dev.paramecium.abi.Ipv4RevNatEntry;
import dev.paramecium.abi.Ipv4RevNatTuple;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.bpf.HashOfMaps;
import dev.paramecium.bpf.SockHash;
import java.util.function.IntSupplier;

/**
 * The maps of programs on sockets.
 *
 * <pre>
 *   reverse_sk:   socket cookie, backend → frontend, rev_nat         sendmsg4 and connect4 write, recvmsg4 reads
 *   sock_ops:     peer → local                                       an established socket, until it is closed
 *   ep_to_policy: endpoint's address → its policy map
 * </pre>
 *
 * A node has them only while an option asks for the programs that use them. Ports and addresses are
 * in host order.
 */
public final class SocketMaps {

  /** SockRevNATMap4's default; the rest are evicted by age. */
  public static final int REVERSE_SK_ENTRIES = 262_144;

  public static final int SOCK_OPS_ENTRIES = 65_535;

  public static final int EP_TO_POLICY_ENTRIES = 65_536;

  private final BpfHashMap reverseSk;
  private final SockHash<SockKey> sockOps;
  private final HashOfMaps<EndpointKey, PolicyMap> endpointPolicies;

  /**
   * @param ids gives each map its id
   */
  public SocketMaps(IntSupplier ids) {
    this.reverseSk =
        BpfHashMap.lru(
            ids.getAsInt(),
            MapNames.LB4_REVERSE_SK,
            Ipv4RevNatTuple.SIZE,
            Ipv4RevNatEntry.SIZE,
            REVERSE_SK_ENTRIES);
    this.sockOps =
        new SockHash<>(
            ids.getAsInt(),
            MapNames.SOCK_OPS,
            SockKey.SIZE,
            SockKey.VALUE_SIZE,
            SOCK_OPS_ENTRIES,
            SockKey::encode,
            SockKey::decode);
    this.endpointPolicies =
        new HashOfMaps<>(
            ids.getAsInt(),
            MapNames.EP_TO_POLICY,
            EndpointKey.SIZE,
            EP_TO_POLICY_ENTRIES,
            EndpointKey::encode,
            EndpointKey::decode,
            PolicyMap::map);
  }

  /** {@code cilium_lb4_reverse_sk}. */
  public BpfHashMap reverseSk() {
    return reverseSk;
  }

  /** {@code cilium_sock_ops}. */
  public SockHash<SockKey> sockOps() {
    return sockOps;
  }

  /** {@code cilium_ep_to_policy}. */
  public HashOfMaps<EndpointKey, PolicyMap> endpointPolicies() {
    return endpointPolicies;
  }

  // ---- cilium_lb4_reverse_sk

  /** What a socket asked for when it was given a backend, or -1. */
  public int findReverse(long cookie, int address, int port) {
    return reverseSk.find(cookie, backendKey(address, port));
  }

  public int frontendAddress(int entry) {
    return Integer.reverseBytes(reverseSk.i32(entry, Ipv4RevNatEntry.ADDRESS));
  }

  public int frontendPort(int entry) {
    return Short.reverseBytes((short) reverseSk.u16(entry, Ipv4RevNatEntry.PORT)) & 0xffff;
  }

  /** In network order, as it stands in the maps. */
  public int rawRevNatIndex(int entry) {
    return reverseSk.u16(entry, Ipv4RevNatEntry.REV_NAT_INDEX);
  }

  /**
   * {@code map_update_elem}.
   *
   * @param value an image of {@link Ipv4RevNatEntry}
   * @return 0 or a negative errno
   */
  public int updateReverse(long cookie, int address, int port, byte[] value) {
    return reverseSk.update(cookie, backendKey(address, port), value, 0);
  }

  public void deleteReverse(long cookie, int address, int port) {
    reverseSk.remove(cookie, backendKey(address, port));
  }

  private static long backendKey(int address, int port) {
    return (Integer.reverseBytes(address) & 0xffff_ffffL)
        | (Short.reverseBytes((short) port) & 0xffffL) << 32;
  }
}
