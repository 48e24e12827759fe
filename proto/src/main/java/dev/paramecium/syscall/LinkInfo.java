package dev.paramecium.syscall;

import dev.paramecium.abi.MacAddress;

/**
 * A network device as {@code ip link} sees it.
 *
 * @param ifindex unique on the node, over all its namespaces
 * @param peerIfindex the other end of a veth pair, 0 for any other kind
 * @param netns the namespace that the device lives in, empty for the host's
 * @param peerNetns the namespace that the peer lives in, empty for the host's
 */
public record LinkInfo(
    int ifindex,
    String name,
    Kind kind,
    MacAddress mac,
    int mtu,
    int peerIfindex,
    String netns,
    String peerNetns) {

  /** What drives the device. */
  public enum Kind {
    LOOPBACK,
    ETHERNET,
    VETH,
    VXLAN
  }
}
