package dev.paramecium.lib;

import org.jspecify.annotations.Nullable;

/**
 * BPF NodePort.
 *
 * @param nativeIfindex NATIVE_DEV_IFINDEX, the device that outside traffic comes in on
 * @param nativeMac that device's address
 * @param directRoutingIp IPV4_DIRECT_ROUTING, what the source of forwarded traffic becomes
 * @param minNatPort NODEPORT_PORT_MIN_NAT, the smallest port that NAT uses
 * @param maxNatPort NODEPORT_PORT_MAX_NAT
 * @param fib the node's routes and neighbours
 * @param mode how requests reach backends on other nodes
 * @param maglev LB_SELECTION_MAGLEV; otherwise backends are chosen by chance
 * @param connectionSeed HASH_INIT4_SEED, of the hash that spreads connections over a Maglev table
 * @param masquerade ENABLE_MASQUERADE; null if packets of pods leave as they are
 * @param pmtuDiscovery ENABLE_DSR_ICMP_ERRORS
 * @param mtu THIS_MTU
 */
public record NodePortConfig(
    int nativeIfindex,
    long nativeMac,
    int directRoutingIp,
    int minNatPort,
    int maxNatPort,
    Fib fib,
    Mode mode,
    boolean maglev,
    int connectionSeed,
    Masquerade.@Nullable Config masquerade,
    boolean pmtuDiscovery,
    int mtu) {

  /** How a request reaches a backend on another node. */
  public enum Mode {
    /** From this node's address; the answer comes back by here. */
    SNAT,
    /** ENABLE_DSR: as it is, with an option that says who was asked. */
    DSR,
    /** ENABLE_DSR_HYBRID: DSR for TCP, SNAT for UDP. */
    HYBRID
  }

  /** HASH_INIT4_SEED unless the agent says otherwise. */
  public static final int DEFAULT_CONNECTION_SEED = 0xcafe;

  private static final int DEFAULT_MTU = 1500;

  /** One above the NodePort range 30000–32767. */
  public static final int DEFAULT_MIN_NAT_PORT = 32768;

  public static final int DEFAULT_MAX_NAT_PORT = 65535;

  /** SNAT mode, backends by chance, no masquerading. */
  public NodePortConfig(
      int nativeIfindex,
      long nativeMac,
      int directRoutingIp,
      int minNatPort,
      int maxNatPort,
      Fib fib) {
    this(
        nativeIfindex,
        nativeMac,
        directRoutingIp,
        minNatPort,
        maxNatPort,
        fib,
        Mode.SNAT,
        false,
        DEFAULT_CONNECTION_SEED,
        null,
        false,
        DEFAULT_MTU);
  }

  public NodePortConfig {
    // __snat_clamp_port_range divides by how many there are but the last.
    if (minNatPort < 1 || maxNatPort > 0xffff || minNatPort >= maxNatPort) {
      throw new IllegalArgumentException(
          "NAT ports "
              + minNatPort
              + " to "
              + maxNatPort
              + ": must be two or more within 1 to 65535");
    }
  }

  /**
   * Whether the native device translates what leaves it ({@code to_netdev}): with DSR for every
   * protocol nothing of this node's NAT can be in the way, unless pods are masqueraded.
   */
  public boolean translatesWhatLeaves() {
    return mode != Mode.DSR || masquerade != null;
  }
}
