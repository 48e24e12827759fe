package dev.paramecium.lib;

/**
 * BPF NodePort in SNAT mode.
 *
 * @param nativeIfindex NATIVE_DEV_IFINDEX, the device that outside traffic comes in on
 * @param nativeMac that device's address
 * @param directRoutingIp IPV4_DIRECT_ROUTING, what the source of forwarded traffic becomes
 * @param minNatPort NODEPORT_PORT_MIN_NAT, the smallest port that NAT uses
 * @param maxNatPort NODEPORT_PORT_MAX_NAT
 * @param fib the node's routes and neighbours
 */
public record NodePortConfig(
    int nativeIfindex,
    long nativeMac,
    int directRoutingIp,
    int minNatPort,
    int maxNatPort,
    Fib fib) {

  /** One above the NodePort range 30000–32767. */
  public static final int DEFAULT_MIN_NAT_PORT = 32768;

  public static final int DEFAULT_MAX_NAT_PORT = 65535;

  public NodePortConfig {
    if (minNatPort < 1 || maxNatPort > 0xffff || minNatPort > maxNatPort) {
      throw new IllegalArgumentException(
          "NAT ports " + minNatPort + " to " + maxNatPort + ": must lie within 1 to 65535");
    }
  }
}
