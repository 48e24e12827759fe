package dev.paramecium.deploy.command;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.cluster.NodeProcess;
import dev.paramecium.deploy.cluster.OwnAddress;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.deploy.cluster.World;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One node in the foreground, or several that share a JVM. */
@Command(
    name = "node",
    mixinStandardHelpOptions = true,
    description = {
      "Runs one node in the foreground: its kernel, kubelet and cilium-agent.",
      "Several nodes share a JVM when --name and --ip are lists of the same length."
    })
final class NodeCommand implements Callable<Integer> {

  @Mixin private final ProcessOptions process = new ProcessOptions();

  @Option(
      names = "--name",
      defaultValue = "${env:PARAMECIUM_NODE_NAME}",
      split = ",",
      description = "the node's name; default: this machine's")
  private List<String> names = List.of();

  @Option(
      names = "--ip",
      defaultValue = "${env:PARAMECIUM_NODE_IP}",
      split = ",",
      description =
          "the node's own address: its InternalIP, where VXLAN listens; the cluster link is on the"
              + " first one; default: the one that the route to the control plane starts from")
  private List<String> ips = List.of();

  @Option(
      names = "--join",
      required = true,
      defaultValue = "${env:PARAMECIUM_JOIN}",
      split = ",",
      paramLabel = "HOST[:PORT]",
      description =
          "a control plane's cluster link; of a name all addresses are asked, until one answers")
  private List<String> join = List.of();

  @Option(
      names = "--on-stop",
      defaultValue = "${env:PARAMECIUM_ON_STOP:-drain}",
      paramLabel = "drain|keep",
      description =
          "what SIGTERM means: the node leaves for good, its pods and its Node are deleted; or it"
              + " will be back, and they stay; default drain")
  private OnStop onStop = OnStop.DRAIN;

  @Option(
      names = "--gateway",
      defaultValue = "${env:PARAMECIUM_GATEWAY}",
      paramLabel = "IP",
      description =
          "the default route's next hop, on the same /24: the gateway of paramecium world run;"
              + " without it there is no such route")
  private @Nullable String gateway;

  /** What becomes of a node's objects when it stops. */
  private enum OnStop {
    DRAIN,
    KEEP
  }

  @Override
  public Integer call() {
    List<String> links = ProcessOptions.links(join);
    if (names.isEmpty()) {
      names = List.of(OwnAddress.hostname());
    }
    if (ips.isEmpty()) {
      ips = List.of(OwnAddress.towards(links, System.out::println).toString());
    }
    Ipv4Address router =
        gateway == null || gateway.isEmpty() ? null : ProcessOptions.address("--gateway", gateway);
    List<Topology.Node> nodes = nodes(names, ips);
    if (router != null) {
      nodes.forEach(node -> World.requireOnLink(router, node));
    }
    new NodeProcess(
            nodes, router, links, process.clusterName, process.options(), onStop == OnStop.DRAIN)
        .run();
    return 0;
  }

  /** The i-th name with the i-th address. */
  static List<Topology.Node> nodes(List<String> names, List<String> ips) {
    if (names.size() != ips.size()) {
      throw new UserError(
          UserError.USAGE,
          "--name has "
              + names.size()
              + " names and --ip "
              + ips.size()
              + " addresses: give each node one of both.");
    }
    List<Topology.Node> nodes = new ArrayList<>();
    Set<Object> taken = new HashSet<>();
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      if (!Topology.isNodeName(name)) {
        throw new UserError(
            UserError.USAGE,
            "--name is \""
                + name
                + "\": a node's name has lower-case letters, digits, '-' and '.', at most 63.");
      }
      Ipv4Address ip = ProcessOptions.address("--ip", ips.get(i));
      if (!taken.add(name) || !taken.add(ip)) {
        throw new UserError(
            UserError.USAGE,
            "--name " + name + " --ip " + ip + " repeats an earlier node's name or address.");
      }
      nodes.add(new Topology.Node(name, ip));
    }
    return nodes;
  }
}
