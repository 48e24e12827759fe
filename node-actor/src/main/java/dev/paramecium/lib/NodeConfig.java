package dev.paramecium.lib;

import dev.paramecium.abi.ReservedIdentity;
import org.jspecify.annotations.Nullable;

/**
 * What cilium-agent compiles into a node's programs ({@code node_config.h}, {@code
 * netdev_config.h}): constants of a loaded program; another configuration is another program.
 * Addresses and MACs are numbers, the first byte on the wire most significant.
 *
 * @param nodeIp IPV4_ENCRYPT_IFACE's, the node's InternalIP
 * @param routerIp IPV4_GATEWAY, {@code cilium_host}'s address
 * @param podCidrMask IPV4_MASK, the length of every node's pod CIDR as a mask
 * @param loopbackIp IPV4_LOOPBACK, the source of a pod that talks to itself through a service
 * @param encapIfindex ENCAP_IFINDEX, {@code cilium_vxlan}
 * @param hostIfindex HOST_IFINDEX, {@code cilium_net}
 * @param ciliumIfindex CILIUM_IFINDEX, {@code cilium_host}
 * @param hostIfindexMac HOST_IFINDEX_MAC, where packets for the node's stack are addressed to
 * @param ciliumNetMac CILIUM_NET_MAC, the destination of what comes out of {@code cilium_host}
 * @param overlayMac NODE_MAC of {@code bpf_overlay.o}
 * @param hostEndpointId HOST_EP_ID, the source of events of {@code bpf_host.o}
 * @param localNodeIdentity LOCAL_NODE_ID, how the node itself appears to others: 6, or 7 if it
 *     hosts the API server
 * @param tunnelPort TUNNEL_PORT
 * @param monitorAggregation 0 none, 1 and 2 low, 3 medium, 4 maximum
 * @param policyAudit POLICY_AUDIT_MODE: a denied packet is reported and let through
 * @param timeouts of conntrack entries
 * @param nodePort ENABLE_NODEPORT; null if off
 * @param tunnel TUNNEL_MODE; false for native routing
 * @param sessionAffinity ENABLE_SESSION_AFFINITY
 * @param perPacketLb ENABLE_PER_PACKET_LB; false where every socket is translated already
 */
public record NodeConfig(
    int nodeIp,
    int routerIp,
    int podCidrMask,
    int loopbackIp,
    int encapIfindex,
    int hostIfindex,
    int ciliumIfindex,
    long hostIfindexMac,
    long ciliumNetMac,
    long overlayMac,
    int hostEndpointId,
    int localNodeIdentity,
    int tunnelPort,
    int monitorAggregation,
    boolean policyAudit,
    ConntrackTimeouts timeouts,
    @Nullable NodePortConfig nodePort,
    boolean tunnel,
    boolean sessionAffinity,
    boolean perPacketLb) {

  /** 169.254.42.1. */
  public static final int DEFAULT_LOOPBACK_IP = 0xa9fe2a01;

  /** Linux's VXLAN port. */
  public static final int DEFAULT_TUNNEL_PORT = 8472;

  /** TRACE_PAYLOAD_LEN: how much of a packet an event carries. */
  public static final int TRACE_PAYLOAD_LENGTH = 128;

  /** In tunnel mode, with session affinity, services translated by packet. */
  public NodeConfig(
      int nodeIp,
      int routerIp,
      int podCidrMask,
      int loopbackIp,
      int encapIfindex,
      int hostIfindex,
      int ciliumIfindex,
      long hostIfindexMac,
      long ciliumNetMac,
      long overlayMac,
      int hostEndpointId,
      int localNodeIdentity,
      int tunnelPort,
      int monitorAggregation,
      boolean policyAudit,
      ConntrackTimeouts timeouts,
      @Nullable NodePortConfig nodePort) {
    this(
        nodeIp,
        routerIp,
        podCidrMask,
        loopbackIp,
        encapIfindex,
        hostIfindex,
        ciliumIfindex,
        hostIfindexMac,
        ciliumNetMac,
        overlayMac,
        hostEndpointId,
        localNodeIdentity,
        tunnelPort,
        monitorAggregation,
        policyAudit,
        timeouts,
        nodePort,
        true,
        true,
        true);
  }

  public NodeConfig {
    if (monitorAggregation < 0 || monitorAggregation > 4) {
      throw new IllegalArgumentException(
          "monitor aggregation "
              + monitorAggregation
              + " is unknown: use 0 (none), 1 or 2 (low), 3 (medium) or 4 (maximum)");
    }
    if (!ReservedIdentity.isRemoteNode(localNodeIdentity)) {
      throw new IllegalArgumentException(
          "local node identity " + localNodeIdentity + ": others see a node as 6 or 7");
    }
  }
}
