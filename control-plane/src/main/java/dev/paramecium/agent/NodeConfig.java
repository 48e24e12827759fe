package dev.paramecium.agent;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;

/**
 * What a node's userland (kubelet and cilium-agent) is told when the node starts.
 *
 * @param nodeName a DNS-1123 subdomain, unique in the cluster
 * @param nodeIp the node's InternalIP, on the underlay
 * @param clusterName Cilium's {@code cluster-name}, {@code default} unless configured
 * @param clusterCidr what the operator cuts the nodes' pod CIDRs from
 * @param mtu of the underlay device; routes in pods get 50 bytes less
 * @param monitorAggregation 0 none, 1 and 2 low, 3 medium, 4 maximum
 * @param kubernetesVersion what the node reports as its kubelet's, as {@code v1.24.17}
 * @param cpus how many CPUs the node reports as its capacity
 * @param memoryKi how much memory the node reports as its capacity, in KiB
 * @param maxPods how many pods the kubelet takes
 */
public record NodeConfig(
    String nodeName,
    Ipv4Address nodeIp,
    String clusterName,
    Ipv4Prefix clusterCidr,
    int mtu,
    int monitorAggregation,
    String kubernetesVersion,
    int cpus,
    long memoryKi,
    int maxPods) {

  /** Bytes that VXLAN over IPv4 puts around a frame ({@code pkg/mtu/mtu.go}). */
  public static final int TUNNEL_OVERHEAD = 50;

  /** The emulated Cilium. */
  public static final String CILIUM_VERSION = "1.12.3";

  /** A node with Cilium's and the kubelet's defaults. */
  public static NodeConfig of(String nodeName, Ipv4Address nodeIp) {
    return new NodeConfig(
        nodeName,
        nodeIp,
        "default",
        Ipv4Prefix.parse("10.42.0.0/16"),
        1500,
        0,
        "v1.24.17",
        4,
        8L * 1024 * 1024,
        110);
  }

  /** What a pod may send through the tunnel in one packet. */
  public int routeMtu() {
    return mtu - TUNNEL_OVERHEAD;
  }
}
