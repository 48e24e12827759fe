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
 */
public record DatapathConfig(
    String nodeName,
    Ipv4Address nodeIp,
    Ipv4Address routerIp,
    Ipv4Prefix podCidr,
    Ipv4Prefix clusterCidr,
    int mtu,
    int monitorAggregation) {}
