package dev.paramecium.deploy.command;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** What the control plane and the nodes of a cluster have in common. */
final class ProcessOptions {

  @Option(
      names = "--cluster-name",
      defaultValue = "${env:PARAMECIUM_CLUSTER_NAME:-default}",
      description = "default: default")
  String clusterName = "default";

  @Option(
      names = "--option",
      paramLabel = "NAME=VALUE",
      description =
          "an option by the name of Cilium's ConfigMap, the same for every process of a cluster")
  private Map<String, String> options = new LinkedHashMap<>();

  Topology.Options options() {
    return Topology.Options.parse(options);
  }

  /** Addresses of cluster links, with the port where it was left out. */
  static List<String> links(List<String> hosts) {
    return hosts.stream()
        .map(host -> host.contains(":") ? host : host + ":" + LocalCluster.CLUSTER_PORT)
        .toList();
  }

  /** Checks an address given on the command line. */
  static Ipv4Address address(String option, String text) {
    try {
      return Ipv4Address.parse(text);
    } catch (IllegalArgumentException e) {
      throw new UserError(UserError.USAGE, option + ": " + e.getMessage() + ".");
    }
  }
}
