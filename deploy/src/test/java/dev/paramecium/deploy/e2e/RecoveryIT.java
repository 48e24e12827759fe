package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.Pods;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * {@code kill -9} of the control plane and of a node: what must go on does, what must come back
 * does.
 */
class RecoveryIT {

  @Test
  void trafficGoesOnWithoutTheControlPlaneAndEverythingIsThereWhenItIsBack()
      throws InterruptedException {
    try (TestCluster cluster = TestCluster.start(2)) {
      cluster.applyWalkPods();
      Pods.Pod httpbin = cluster.awaitReady("httpbin");
      List<String> before = objects(cluster);
      String loop =
          "i=0; while true; do curl -s -m 5 -o /dev/null -w '%{http_code}\\n' http://"
              + httpbin.address()
              + "/get; sleep 0.2; done";
      cluster.apply(
          """
          apiVersion: v1
          kind: Pod
          metadata: {name: looper}
          spec:
            nodeName: node-1
            containers:
            - {name: curl, image: curlimages/curl, command: [sh, -c, "%s"]}
          """
              .formatted(loop));
      cluster.awaitReady("looper");
      await().atMost(TestCluster.LIMIT).until(() -> answers(cluster).size() >= 3);

      cluster.kill("control-plane");
      cluster.cluster.restart("control-plane");
      await()
          .atMost(TestCluster.LIMIT)
          .ignoreExceptionsInstanceOf(UserError.class)
          .until(() -> cluster.api.isReady() && cluster.api.readyNodes() == 2);

      assertThat(objects(cluster)).containsAll(before);
      int seen = answersEventually(cluster).size();
      await().atMost(TestCluster.LIMIT).until(() -> answersEventually(cluster).size() > seen + 3);
      assertThat(answersEventually(cluster)).containsOnly("200");

      cluster.apply(
          """
          apiVersion: v1
          kind: Pod
          metadata: {name: late}
          spec:
            containers:
            - {name: curl, image: curlimages/curl, command: [sleep, 365d]}
          """);
      cluster.awaitReady("late");
      Pods.awaitSynced(cluster.api, 2, TestCluster.LIMIT);
      assertThat(
              cluster
                  .exec(
                      "late",
                      "curl",
                      "-s",
                      "-o",
                      "/dev/null",
                      "-w",
                      "%{http_code}",
                      "http://" + httpbin.address() + "/get")
                  .stdout())
          .isEqualTo("200");
    }
  }

  @Test
  void aKilledNodeComesBackWithItsMapsRebuilt() throws InterruptedException {
    try (TestCluster cluster = TestCluster.start(2)) {
      cluster.applyWalkPods();
      String before = cluster.host("node-2", "cilium", "bpf", "tunnel", "list").stdout();

      cluster.kill("node-2");
      cluster.cluster.restart("node-2");
      await()
          .atMost(TestCluster.LIMIT)
          .ignoreExceptionsInstanceOf(UserError.class)
          .until(
              () -> {
                Pods.Pod httpbin = cluster.awaitReady("httpbin");
                TestCluster.Output output =
                    cluster.exec(
                        "curl",
                        "curl",
                        "-s",
                        "-m",
                        "2",
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code}",
                        "http://" + httpbin.address() + "/get");
                return output.stdout().equals("200");
              });

      assertThat(cluster.host("node-2", "cilium", "bpf", "tunnel", "list").stdout())
          .isEqualTo(before);
      assertThat(cluster.host("node-2", "cilium", "map", "get", "cilium_ipcache").stdout())
          .contains(cluster.awaitReady("curl").address() + "/32");
    }
  }

  private static List<String> answers(TestCluster cluster) {
    return cluster.log("looper").lines().toList();
  }

  private static List<String> answersEventually(TestCluster cluster) {
    List<String> lines = new ArrayList<>();
    await()
        .atMost(TestCluster.LIMIT)
        .ignoreExceptionsInstanceOf(UserError.class)
        .until(() -> lines.addAll(answers(cluster)));
    return lines;
  }

  /** Kind, name and uid of every object that a person made. */
  private static List<String> objects(TestCluster cluster) {
    List<String> objects = new ArrayList<>();
    for (String path :
        List.of(
            "/api/v1/pods",
            "/api/v1/namespaces",
            "/api/v1/nodes",
            "/apis/cilium.io/v2/ciliumidentities",
            "/apis/cilium.io/v2/ciliumnodes")) {
      for (JsonNode object : cluster.api.get(path).path("items")) {
        objects.add(
            path
                + "/"
                + object.path("metadata").path("name").asText()
                + " "
                + object.path("metadata").path("uid").asText());
      }
    }
    return objects;
  }
}
