package dev.paramecium.controller;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NodeLifecycleTest {

  private final TestCluster cluster = new TestCluster();
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2023-01-09T19:00:00Z"));

  @AfterEach
  void stop() {
    cluster.close();
  }

  private static String condition(KubeObject object, String type, String field) {
    for (JsonNode condition : object.at("/status/conditions")) {
      if (condition.path("type").asText().equals(type)) {
        return condition.path(field).asText();
      }
    }
    return "";
  }

  private KubeObject node() {
    return cluster.find(ResourceType.NODE, "", "a");
  }

  private void heartbeat(String time) {
    TestCluster.stored(
        cluster.api.mergePatch(
            ResourceType.NODE,
            "",
            "a",
            "status",
            """
            {"status":{"conditions":[
              {"type":"NetworkUnavailable","status":"False","reason":"CiliumIsUp"},
              {"type":"Ready","status":"True","reason":"KubeletReady","lastHeartbeatTime":"%s"}]}}
            """
                .formatted(time)));
  }

  @Test
  void marksANodeThatIsNotHeardAndCleansOneThatIsHeardAgain() {
    cluster.create(
        ResourceType.NODE,
        "{\"kind\":\"Node\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"taints\":[{\"key\":\"mine\",\"effect\":\"NoSchedule\"}]}}");
    // The node's own clock may be anywhere.
    heartbeat("1999-01-01T00:00:00Z");
    cluster.createPod("p", "p", "a");
    TestCluster.stored(
        cluster.api.mergePatch(
            ResourceType.POD,
            "default",
            "p",
            "status",
            "{\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}"));
    cluster.kit.spawn(NodeLifecycle.create(cluster.api, now::get, Duration.ofMillis(400)));
    heartbeat("1999-01-01T00:00:10Z");
    // While its time stands still no node is late, however long the controller looks.
    await()
        .during(Duration.ofMillis(300))
        .atMost(Duration.ofSeconds(5))
        .until(() -> condition(node(), "Ready", "status").equals("True"));

    eventually(
        () -> {
          now.updateAndGet(t -> t.plusMillis(100));
          return condition(node(), "Ready", "status").equals("Unknown");
        });
    assertThat(condition(node(), "Ready", "reason")).isEqualTo("NodeStatusUnknown");
    assertThat(condition(node(), "Ready", "lastHeartbeatTime")).isEqualTo("1999-01-01T00:00:10Z");
    assertThat(condition(node(), "NetworkUnavailable", "status")).isEqualTo("False");
    eventually(() -> node().at("/spec/taints").size() == 3);
    assertThat(node().at("/spec/taints").toString())
        .contains("mine", "node.kubernetes.io/unreachable", "NoExecute");
    eventually(
        () ->
            condition(cluster.find(ResourceType.POD, "default", "p"), "Ready", "status")
                .equals("False"));

    eventually(
        () ->
            cluster
                    .eventsOf("a")
                    .equals(
                        List.of(
                            "Normal RegisteredNode: Node a event: Registered Node a in Controller",
                            "Normal NodeNotReady: Node a status is now: NodeNotReady"))
                && cluster
                    .eventsOf("p")
                    .equals(List.of("Warning NodeNotReady: Node is not ready")));

    heartbeat("1999-01-01T00:00:20Z");
    eventually(() -> node().at("/spec/taints").size() == 1);
    assertThat(condition(node(), "Ready", "status")).isEqualTo("True");
    assertThat(node().text("/spec/taints/0/key")).isEqualTo("mine");
  }

  @Test
  void aNodeWhoseLeaseIsRenewedIsAliveAlthoughItsStatusIsOld() {
    cluster.create(ResourceType.NODE, "{\"kind\":\"Node\",\"metadata\":{\"name\":\"a\"}}");
    heartbeat("1999-01-01T00:00:00Z");
    cluster.create(
        ResourceType.LEASE,
        """
        {"kind":"Lease","metadata":{"name":"a","namespace":"kube-node-lease"},
         "spec":{"holderIdentity":"a","renewTime":"1999-01-01T00:00:00.000000Z"}}
        """);
    cluster.kit.spawn(NodeLifecycle.create(cluster.api, now::get, Duration.ofMillis(400)));
    for (int renewal = 1; renewal <= 10; renewal++) {
      String time = "1999-01-01T00:00:%02d.000000Z".formatted(renewal);
      TestCluster.stored(
          cluster.api.mergePatch(
              ResourceType.LEASE,
              "kube-node-lease",
              "a",
              "",
              "{\"spec\":{\"renewTime\":\"" + time + "\"}}"));
      now.updateAndGet(t -> t.plusMillis(100));
      await()
          .during(Duration.ofMillis(60))
          .until(() -> condition(node(), "Ready", "status").equals("True"));
    }
    eventually(
        () -> {
          now.updateAndGet(t -> t.plusMillis(100));
          return condition(node(), "Ready", "status").equals("Unknown");
        });
  }

  @Test
  void aTaintThatEvictsGetsTheTimeFromWhichItsTolerationsCount() {
    cluster.create(
        ResourceType.NODE,
        "{\"kind\":\"Node\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"taints\":[{\"key\":\"mine\",\"effect\":\"NoExecute\"}]}}");
    heartbeat("1999-01-01T00:00:00Z");
    cluster.kit.spawn(NodeLifecycle.create(cluster.api, now::get, Duration.ofMillis(400)));
    eventually(() -> node().text("/spec/taints/0/timeAdded").equals("2023-01-09T19:00:00Z"));
    assertThat(node().at("/spec/taints").size()).isEqualTo(1);
  }
}
