package dev.paramecium.deploy.command;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Waiting;
import dev.paramecium.deploy.cluster.ApiSecurity;
import dev.paramecium.deploy.cluster.ControlPlaneProcess;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.LocalMachine;
import dev.paramecium.deploy.cluster.NodeProcess;
import dev.paramecium.deploy.cluster.Topology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.pekko.actor.typed.ActorSystem;
import picocli.CommandLine.Command;

/**
 * The demo with the whole cluster in this JVM. The build runs it once under {@code
 * -XX:AOTCacheOutput}, so that every JVM of a cluster finds its classes loaded and linked.
 */
@Command(
    name = "rehearse",
    hidden = true,
    mixinStandardHelpOptions = true,
    description = "Runs the demo with the whole cluster in one JVM.")
final class RehearseCommand implements Callable<Integer> {

  private static final Duration LIMIT = Duration.ofSeconds(60);

  @Override
  public Integer call() throws IOException {
    Ipv4Address block = LocalCluster.freeLoopbackBlock(2);
    Topology topology = Topology.of(2, block.plus(1), LocalCluster.freePort());
    Path state = Files.createTempDirectory("paramecium-rehearsal");
    List<ActorSystem<Void>> systems = new ArrayList<>();
    try {
      systems.add(
          new ControlPlaneProcess(
                  block,
                  Ipv4Address.parse(topology.apiAddress()),
                  topology.apiPort(),
                  ApiSecurity.NONE,
                  state,
                  state,
                  new LocalMachine(state),
                  topology.clusterName(),
                  topology.options())
              .start());
      for (Topology.Node node : topology.nodes()) {
        systems.add(
            new NodeProcess(
                    List.of(node),
                    List.of(block + ":" + LocalCluster.CLUSTER_PORT),
                    topology.clusterName(),
                    topology.options())
                .start());
      }
      ApiHttp api = new ApiHttp("http://" + topology.apiAddress() + ":" + topology.apiPort());
      Waiting.until(
          LIMIT,
          () -> api.isReady() && api.readyNodes() >= topology.nodes().size(),
          () -> "the cluster was not ready after " + LIMIT.toSeconds() + " s.");
      return DemoCommand.walk(api, topology, System.out::println) ? 0 : UserError.FAILED;
    } finally {
      systems.forEach(ActorSystem::terminate);
      for (ActorSystem<Void> system : systems) {
        system.getWhenTerminated().toCompletableFuture().join();
      }
      DownCommand.deleteTree(state);
    }
  }
}
