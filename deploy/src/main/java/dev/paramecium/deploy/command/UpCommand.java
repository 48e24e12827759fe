package dev.paramecium.deploy.command;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Starts a cluster in the background and waits until all nodes are Ready. */
@Command(
    name = "up",
    mixinStandardHelpOptions = true,
    description =
        "Starts a cluster in the background, waits until all nodes are Ready, writes a kubeconfig.")
final class UpCommand implements Callable<Integer> {

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "a topology (kind: Cluster)")
  private @Nullable Path file;

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description = "how many nodes, on 127.0.0.2 and up; default 2")
  private @Nullable Integer nodes;

  @Option(
      names = "--nodes-per-jvm",
      paramLabel = "K",
      description =
          "how many nodes share a JVM at most; default: one each while there are no more nodes than"
              + " cores or than 4, else as many as make one JVM a core")
  private @Nullable Integer nodesPerJvm;

  @Mixin private final SecurityOptions security = new SecurityOptions();

  @Override
  public Integer call() {
    if (file != null && nodes != null) {
      throw new UserError(
          UserError.USAGE, "--nodes and --file exclude each other: the file names the nodes.");
    }
    Topology topology =
        file == null ? Topology.ofSize(nodes == null ? 2 : nodes) : Topology.read(file);
    if (nodesPerJvm != null) {
      topology = topology.withNodesPerJvm(nodesPerJvm);
    }
    int jvms = topology.jvms().size();
    Path home = ClusterOptions.home();
    Instant start = Instant.now();
    LocalCluster cluster =
        LocalCluster.start(
            home,
            topology,
            security.security(),
            topology.apiAddress(),
            line -> System.out.println("  " + line));
    System.out.println(
        "  started 1 control plane and "
            + topology.nodes().size()
            + " nodes"
            + (jvms < topology.nodes().size() ? " in " + jvms + " JVMs" : "")
            + "; logs in "
            + home.resolve("logs"));
    try {
      cluster.awaitReady(line -> System.out.println("  " + line));
    } catch (UserError e) {
      cluster.stop();
      throw e;
    }
    System.out.printf(
        "Up in %.1f s. Point kubectl at it:%n%n",
        Duration.between(start, Instant.now()).toMillis() / 1e3);
    System.out.println("    export KUBECONFIG=" + LocalCluster.kubeconfig(home).toAbsolutePath());
    System.out.println();
    System.out.println(
        "or use 'paramecium get nodes', 'paramecium apply -f', 'paramecium exec'. Stop it with"
            + " 'paramecium down'.");
    return 0;
  }
}
