package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * What is measured: a cluster of its own, a control plane and two nodes, each a JVM as {@code up}
 * starts it, and a pod on each node.
 */
public final class Testbed implements AutoCloseable {

  private static final Duration LIMIT = Duration.ofSeconds(45);

  private final Path home;
  private final Thread cleanup;
  final LoadEnd client;
  final LoadEnd server;

  /**
   * Starts it.
   *
   * @param home of the cluster; thrown away by the caller
   */
  public Testbed(Path home, Consumer<String> progress) {
    this.home = home;
    this.cleanup = new Thread(() -> LocalCluster.kill(home), "bench cleanup");
    Runtime.getRuntime().addShutdownHook(cleanup);
    Ipv4Address block = LocalCluster.freeLoopbackBlock(2);
    Topology topology = Topology.of(2, block.plus(1), LocalCluster.freePort());
    LocalCluster cluster = LocalCluster.start(home, topology, block.toString(), progress);
    try {
      cluster.awaitReady(progress);
      ApiHttp api = new ApiHttp(cluster.apiServer());
      for (ObjectNode pod :
          Manifests.parse(
              "the benchmark's manifest", pod("client", 1) + "---\n" + pod("server", 2))) {
        api.post("/api/v1/namespaces/default/pods", pod);
      }
      this.client = new PodEnd(api, Pods.awaitReady(api, "default", "client", LIMIT));
      this.server = new PodEnd(api, Pods.awaitReady(api, "default", "server", LIMIT));
      Pods.awaitSynced(api, topology.nodes().size(), LIMIT);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private static String pod(String name, int node) {
    return """
    apiVersion: v1
    kind: Pod
    metadata: {name: %s, namespace: default}
    spec:
      nodeName: node-%d
      containers:
      - {name: main, image: busybox, command: [sleep, 365d]}
    """
        .formatted(name, node);
  }

  @Override
  public void close() {
    LocalCluster.kill(home);
    Runtime.getRuntime().removeShutdownHook(cleanup);
  }
}
