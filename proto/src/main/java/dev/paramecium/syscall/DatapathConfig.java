package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;

/**
 * What cilium-agent compiles into a node's programs ({@code node_config.h} and {@code
 * netdev_config.h}).
 *
 * @param nodeIp the node's address on the underlay, also its InternalIP
 * @param routerIp the address of {@code cilium_host}, inside {@code podCidr}
 * @param podCidr what this node allocates pod addresses from
 * @param clusterCidr all pods of all nodes; on the host it is routed to {@code cilium_host}
 * @param mtu of the underlay device; pods get 50 bytes less in tunnel mode
 * @param monitorAggregation 0 none, 1 and 2 low, 3 medium, 4 maximum
 * @param options the features compiled in
 */
public record DatapathConfig(
    String nodeName,
    Ipv4Address nodeIp,
    Ipv4Address routerIp,
    Ipv4Prefix podCidr,
    Ipv4Prefix clusterCidr,
    int mtu,
    int monitorAggregation,
    DatapathOptions options) {

  /** Bytes that VXLAN over IPv4 puts around a frame. */
  private static final int TUNNEL_OVERHEAD = 50;

  /** With v1.12.3's defaults. */
  public DatapathConfig(
      String nodeName,
      Ipv4Address nodeIp,
      Ipv4Address routerIp,
      Ipv4Prefix podCidr,
      Ipv4Prefix clusterCidr,
      int mtu,
      int monitorAggregation) {
    this(
        nodeName,
        nodeIp,
        routerIp,
        podCidr,
        clusterCidr,
        mtu,
        monitorAggregation,
        DatapathOptions.defaults(podCidr));
  }

  /** What a packet to another pod may not grow beyond. */
  public int routeMtu() {
    return options.tunnel() ? mtu - TUNNEL_OVERHEAD : mtu;
  }
}
