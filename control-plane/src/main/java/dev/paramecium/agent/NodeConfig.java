package dev.paramecium.agent;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.syscall.DatapathConfig;
import java.util.List;
import java.util.Map;

/**
 * What a node's userland (kubelet and cilium-agent) is told when the node starts.
 *
 * @param nodeName a DNS-1123 subdomain, unique in the cluster
 * @param nodeIp the node's InternalIP, on the underlay
 * @param clusterName Cilium's {@code cluster-name}, {@code default} unless configured
 * @param clusterCidr what the operator cuts the nodes' pod CIDRs from
 * @param mtu of the underlay device; routes in pods get 50 bytes less with a tunnel
 * @param options by the names of Cilium's ConfigMap
 * @param kubernetesVersion what the node reports as its kubelet's, as {@code v1.24.17}
 * @param cpus how many CPUs the node reports as its capacity
 * @param memoryKi how much memory the node reports as its capacity, in KiB
 * @param maxPods how many pods the kubelet takes
 * @param nameservers of the node's own {@code /etc/resolv.conf}
 */
public record NodeConfig(
    String nodeName,
    Ipv4Address nodeIp,
    String clusterName,
    Ipv4Prefix clusterCidr,
    int mtu,
    AgentOptions options,
    String kubernetesVersion,
    int cpus,
    long memoryKi,
    int maxPods,
    List<Ipv4Address> nameservers) {

  public NodeConfig {
    nameservers = List.copyOf(nameservers);
  }

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
        AgentOptions.of(Map.of("monitor-aggregation", "none")),
        "v1.24.17",
        4,
        8L * 1024 * 1024,
        110,
        List.of());
  }

  /** What a pod may send to another node in one packet. */
  public int routeMtu() {
    return options.tunnel() ? mtu - TUNNEL_OVERHEAD : mtu;
  }

  /** What the node's programs are compiled with. */
  DatapathConfig datapath(Ipv4Address routerIp, Ipv4Prefix podCidr) {
    return new DatapathConfig(
        nodeName,
        nodeIp,
        routerIp,
        podCidr,
        clusterCidr,
        mtu,
        options.monitorAggregation(),
        options.datapath(podCidr));
  }
}
