package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.cluster.ClusterFile;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several nodes in one JVM: node-1 and node-2 share one, node-3 and node-4 another. */
class SharedJvmIT {

  private static TestCluster cluster;

  @BeforeAll
  static void start() throws InterruptedException {
    Ipv4Address block = LocalCluster.freeLoopbackBlock(4);
    Topology four = Topology.of(4, block.plus(1), LocalCluster.freePort()).withNodesPerJvm(2);
    cluster = TestCluster.start(four, block);
    cluster.apply(
        pod("a", "node-1", "curlimages/curl, command: [sleep, 365d]")
            + pod("neighbour", "node-2", "kennethreitz/httpbin")
            + pod("far", "node-4", "kennethreitz/httpbin"));
    for (String name : List.of("a", "neighbour", "far")) {
      cluster.awaitReady(name);
    }
    Pods.awaitSynced(cluster.api, 4, TestCluster.LIMIT);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void theClusterFileSaysWhichNodesAProcessRuns() {
    assertThat(ClusterFile.read(cluster.home).orElseThrow().processes())
        .extracting(ClusterFile.Process::name, ClusterFile.Process::nodes)
        .containsExactly(
            tuple("control-plane", List.of()),
            tuple("node-1+1", List.of("node-1", "node-2")),
            tuple("node-3+1", List.of("node-3", "node-4")));
  }

  @Test
  void everyNodeHasDevicesMapsAndAnAddressOfItsOwn() throws InterruptedException {
    for (int i = 1; i <= 4; i++) {
      String node = "node-" + i;
      assertThat(cluster.host(node, "ip", "addr", "show", "eth0").stdout())
          .contains("inet " + cluster.block.plus(i) + "/24");
      assertThat(cluster.host(node, "cilium", "bpf", "tunnel", "list").stdout().lines())
          .as("the header and the three other nodes on " + node)
          .hasSize(4);
    }
    String far = cluster.awaitReady("far").address().toString();
    assertThat(cluster.host("node-4", "cilium", "bpf", "endpoint", "list").stdout())
        .contains(far + ":0");
    assertThat(cluster.host("node-3", "cilium", "bpf", "endpoint", "list").stdout())
        .doesNotContain(far + ":0");
  }

  @Test
  void aPacketCrossesTheWireAlsoBetweenNodesOfOneJvm() throws InterruptedException {
    for (String peer : List.of("neighbour", "far")) {
      String node = peer.equals("far") ? "node-4" : "node-2";
      long before = cluster.counters(node).path("rx_packets_eth0").asLong();
      assertThat(answer("a", peer)).as("from a to " + peer).isEqualTo("200");
      assertThat(cluster.counters(node).path("rx_packets_eth0").asLong())
          .as("what came in by eth0 of " + node)
          .isGreaterThan(before + 3);
    }
  }

  @Test
  void aKilledJvmTakesItsNodesAlongAndBringsThemBack() throws InterruptedException {
    String tunnels = cluster.host("node-3", "cilium", "bpf", "tunnel", "list").stdout();

    cluster.kill("node-3");
    assertThat(
            ClusterFile.read(cluster.home).orElseThrow().processes().stream()
                .filter(process -> process.handle().isEmpty())
                .map(ClusterFile.Process::name))
        .containsExactly("node-3+1");
    assertThat(answer("a", "neighbour")).isEqualTo("200");

    cluster.cluster.restart("node-3");
    await()
        .atMost(TestCluster.LIMIT)
        .ignoreExceptionsInstanceOf(UserError.class)
        .until(() -> answer("a", "far").equals("200"));
    await()
        .atMost(TestCluster.LIMIT)
        .ignoreExceptionsInstanceOf(UserError.class)
        .until(
            () ->
                cluster.host("node-3", "cilium", "bpf", "tunnel", "list").stdout().equals(tunnels));
  }

  private static String answer(String from, String to) throws InterruptedException {
    String url = "http://" + cluster.awaitReady(to).address() + "/get";
    return cluster
        .exec(from, "curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", url)
        .stdout();
  }

  private static String pod(String name, String node, String image) {
    return """
    apiVersion: v1
    kind: Pod
    metadata: {name: %1$s, labels: {app: %1$s}}
    spec:
      nodeName: %2$s
      containers:
      - {name: main, image: %3$s}
    ---
    """
        .formatted(name, node, image);
  }
}
