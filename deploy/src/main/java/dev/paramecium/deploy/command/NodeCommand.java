package dev.paramecium.deploy.command;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.NodeProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One node in the foreground. */
@Command(
    name = "node",
    mixinStandardHelpOptions = true,
    description = "Runs one node in the foreground: its kernel, kubelet and cilium-agent.")
final class NodeCommand implements Callable<Integer> {

  @Mixin private final ProcessOptions process = new ProcessOptions();

  @Option(
      names = "--name",
      required = true,
      defaultValue = "${env:PARAMECIUM_NODE_NAME}",
      description = "the node's name")
  private String name = "";

  @Option(
      names = "--ip",
      required = true,
      defaultValue = "${env:PARAMECIUM_NODE_IP}",
      description =
          "the node's own address: its InternalIP, where VXLAN and the cluster link listen")
  private String ip = "";

  @Option(
      names = "--join",
      required = true,
      defaultValue = "${env:PARAMECIUM_JOIN}",
      split = ",",
      paramLabel = "HOST[:PORT]",
      description = "a control plane's cluster link")
  private List<String> join = List.of();

  @Override
  public Integer call() {
    if (!name.matches("[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")) {
      throw new UserError(
          UserError.USAGE,
          "--name is \""
              + name
              + "\": a node's name has lower-case letters, digits, '-' and '.', at most 63.");
    }
    List<String> controlPlanes = new ArrayList<>();
    for (String host : join) {
      controlPlanes.add(host.contains(":") ? host : host + ":" + LocalCluster.CLUSTER_PORT);
    }
    new NodeProcess(
            name,
            ProcessOptions.address("--ip", ip),
            controlPlanes,
            process.clusterName,
            process.options())
        .start()
        .getWhenTerminated()
        .toCompletableFuture()
        .join();
    return 0;
  }
}
