package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.ClusterFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Faults of nodes' processes and maps, of the control plane, and of the links between them. */
class ProcessChaosIT {

  private static final String OWN = "/apis/paramecium.dev/v1alpha1/";

  private static TestCluster cluster;

  @BeforeAll
  static void start() throws InterruptedException {
    cluster = TestCluster.start(2);
    cluster.applyWalkPods();
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static void begin(String kind, String spec) {
    cluster.apply(
        "{apiVersion: paramecium.dev/v1alpha1, kind: %s, metadata: {name: x}, spec: {%s}}"
            .formatted(kind, spec));
    awaitCondition(kind, "AllInjected");
  }

  private static JsonNode find(String kind) {
    return cluster.api.find(OWN + kind.toLowerCase(java.util.Locale.ROOT) + "/x");
  }

  private static void awaitCondition(String kind, String type) {
    await()
        .atMost(TestCluster.LIMIT)
        .ignoreExceptions()
        .untilAsserted(
            () ->
                assertThat(find(kind).at("/status/conditions"))
                    .as("%s", find(kind).path("status"))
                    .anyMatch(
                        c ->
                            c.path("type").asText().equals(type)
                                && c.path("status").asText().equals("True")));
  }

  private static void end(String kind) {
    cluster.api.delete(
        OWN + kind.toLowerCase(java.util.Locale.ROOT) + "/x", ApiHttp.JSON.createObjectNode());
    await().atMost(TestCluster.LIMIT).until(() -> find(kind).isMissingNode());
  }

  /** A pod whose node was away may come back with another. */
  private static String ip(String pod) {
    return cluster.api.get("/api/v1/namespaces/default/pods/" + pod).at("/status/podIP").asText();
  }

  private static String ping() {
    return cluster.exec("curl", "ping", "-c", "1", "-W", "1", ip("httpbin")).stdout();
  }

  private static char state(String process) throws java.io.IOException {
    long pid =
        ClusterFile.read(cluster.home).orElseThrow().processes().stream()
            .filter(p -> p.runs(process))
            .findFirst()
            .orElseThrow()
            .pid();
    Path stat = Path.of("/proc/" + pid + "/stat");
    if (!Files.exists(stat)) {
      return 'X';
    }
    String text = Files.readString(stat);
    return text.charAt(text.lastIndexOf(')') + 2);
  }

  @Test
  void aCrashedNodeIsAwayAndComesBackAndAPausedOneStandsStill() throws Exception {
    begin("NodeChaos", "action: pause, nodes: [node-2]");
    assertThat(state("node-2")).isEqualTo('T');
    assertThat(ping()).contains("0 received");
    end("NodeChaos");
    assertThat(ping()).contains("1 received");
    begin("NodeChaos", "action: crash, nodes: [node-2]");
    assertThat(state("node-2")).isIn('X', 'Z');
    end("NodeChaos");
    await().atMost(TestCluster.LIMIT).until(() -> ping().contains("1 received"));
  }

  @Test
  void lostEntriesComeBackWhenTheExperimentGoes() {
    String httpbin = ip("httpbin");
    String before = cluster.host("node-1", "cilium", "bpf", "ipcache", "list").stdout();
    assertThat(before).contains(httpbin);
    begin("MapChaos", "action: lost, map: cilium_ipcache, nodes: [node-1]");
    assertThat(cluster.host("node-1", "cilium", "bpf", "ipcache", "list").stdout())
        .doesNotContain(httpbin);
    end("MapChaos");
    assertThat(cluster.host("node-1", "cilium", "bpf", "ipcache", "list").stdout())
        .isEqualTo(before);
    assertThat(ping()).contains("1 received");
  }

  @Test
  void aFrozenOrFullMapDoesNotLearnOfANewPodUntilTheExperimentGoes() throws Exception {
    for (String action : new String[] {"stale", "full"}) {
      begin("MapChaos", "action: %s, map: cilium_ipcache, nodes: [node-1]".formatted(action));
      cluster.apply(
          """
          {apiVersion: v1, kind: Pod, metadata: {name: new-%s},
           spec: {nodeName: node-2, containers: [{name: c, image: nginx}]}}
          """
              .formatted(action));
      String ip = cluster.awaitReady("new-" + action).address().toString();
      await()
          .atMost(TestCluster.LIMIT)
          .until(
              () ->
                  cluster.host("node-2", "cilium", "bpf", "ipcache", "list").stdout().contains(ip));
      assertThat(cluster.host("node-1", "cilium", "bpf", "ipcache", "list").stdout())
          .doesNotContain(ip);
      end("MapChaos");
      assertThat(cluster.host("node-1", "cilium", "bpf", "ipcache", "list").stdout()).contains(ip);
    }
  }

  @Test
  void aNodeCutOffFromTheControlPlaneStillTalksToItsPeers() {
    begin("PartitionChaos", "links: cluster, nodes: [node-1]");
    String pid = "/api/v1/namespaces/default/pods/late";
    cluster.apply(
        """
        {apiVersion: v1, kind: Pod, metadata: {name: late},
         spec: {nodeName: node-1, containers: [{name: c, image: nginx}]}}
        """);
    assertThat(cluster.exec("httpbin", "ping", "-c", "1", "-W", "1", ip("curl")).stdout())
        .contains("1 received");
    assertThat(cluster.api.get(pid).at("/status/phase").asText()).isEqualTo("Pending");
    end("PartitionChaos");
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> cluster.api.get(pid).at("/status/phase").asText().equals("Running"));
  }

  @Test
  void theControlPlaneIsAwayAndComesBackByItself() throws Exception {
    for (String action : new String[] {"pause", "crash"}) {
      begin("ControlPlaneChaos", "action: %s, duration: 3s".formatted(action));
      await()
          .atMost(TestCluster.LIMIT)
          .until(() -> state("control-plane") == 'T' || !cluster.api.isReady());
      awaitCondition("ControlPlaneChaos", "AllRecovered");
      end("ControlPlaneChaos");
      assertThat(state("control-plane")).isIn('S', 'R');
      await()
          .atMost(TestCluster.LIMIT)
          .ignoreExceptions()
          .until(() -> ping().contains("1 received"));
    }
  }
}
