package dev.paramecium.deploy.command;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.OwnAddress;
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
      defaultValue = "${env:PARAMECIUM_OPTIONS}",
      split = ";",
      paramLabel = "NAME=VALUE",
      description =
          "an option by the name of Cilium's ConfigMap, the same for every process of a cluster;"
              + " several after each other, or separated by ';'")
  private Map<String, String> options = new LinkedHashMap<>();

  Topology.Options options() {
    return Topology.Options.parse(options);
  }

  /** Addresses of cluster links, with the port where it was left out. */
  static List<String> links(List<String> hosts) {
    return hosts.stream().map(ProcessOptions::link).toList();
  }

  private static String link(String target) {
    String link = target.contains(":") ? target : target + ":" + LocalCluster.CLUSTER_PORT;
    if (!link.matches("[A-Za-z0-9]([A-Za-z0-9._-]*):[0-9]{1,5}")
        || Integer.parseInt(link.substring(link.indexOf(':') + 1)) > 65535) {
      throw new UserError(
          UserError.USAGE,
          "--join is \""
              + target
              + "\": write HOST or HOST:PORT, with an IPv4 address or a name, and a port up to"
              + " 65535.");
    }
    return link;
  }

  /** An address of this machine: given as it is, or by a name. */
  static Ipv4Address ownAddress(String option, String text) {
    return text.matches("[0-9.]+") ? address(option, text) : OwnAddress.named(option, text);
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
