package dev.paramecium.scheduler;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SchedulerTest {

  private final TestCluster cluster = new TestCluster();

  @AfterEach
  void stop() {
    cluster.close();
  }

  private void start() {
    cluster.kit.spawn(Scheduler.create(cluster.api, InstantSource.system()));
  }

  private void createNode(String name, String labels, String spec, String ready) {
    cluster.create(
        ResourceType.NODE,
        """
        {"kind":"Node","metadata":{"name":"%s","labels":{%s}},"spec":{%s},
         "status":{"allocatable":{"pods":"3"},"conditions":[{"type":"Ready","status":"%s"}]}}
        """
            .formatted(name, labels, spec, ready));
  }

  private KubeObject createPod(String name, String spec) {
    return cluster.create(
        ResourceType.POD,
        """
        {"kind":"Pod","metadata":{"name":"%s","namespace":"default"},
         "spec":{%s"containers":[{"name":"c","image":"pause"}]}}
        """
            .formatted(name, spec));
  }

  private String nodeOf(String pod) {
    return cluster.find(ResourceType.POD, "default", pod).text("/spec/nodeName");
  }

  private String unschedulable(String pod) {
    for (JsonNode condition :
        cluster.find(ResourceType.POD, "default", pod).at("/status/conditions")) {
      if (condition.path("type").asText().equals("PodScheduled")
          && condition.path("status").asText().equals("False")) {
        return condition.path("reason").asText() + ": " + condition.path("message").asText();
      }
    }
    return "";
  }

  @Test
  void spreadsPodsOverTheLeastLoadedNodes() {
    createNode("a", "", "", "True");
    createNode("b", "", "", "True");
    start();
    for (int i = 0; i < 6; i++) {
      createPod("p" + i, "");
    }
    eventually(
        () ->
            cluster.list(ResourceType.POD).stream()
                .noneMatch(p -> p.text("/spec/nodeName").isEmpty()));
    Map<String, Long> counts =
        cluster.list(ResourceType.POD).stream()
            .collect(
                java.util.stream.Collectors.groupingBy(
                    p -> p.text("/spec/nodeName"), java.util.stream.Collectors.counting()));
    assertThat(counts).isEqualTo(Map.of("a", 3L, "b", 3L));
  }

  @Test
  void saysWhyNoNodeFits() {
    createNode("a", "", "\"unschedulable\":true", "True");
    createNode("b", "", "", "Unknown");
    createNode("c", "\"disk\":\"hdd\"", "", "True");
    createNode(
        "d",
        "\"disk\":\"ssd\"",
        "\"taints\":[{\"key\":\"gpu\",\"value\":\"yes\",\"effect\":\"NoSchedule\"}]",
        "True");
    start();
    createPod("p", "\"nodeSelector\":{\"disk\":\"ssd\"},");
    eventually(
        () ->
            unschedulable("p")
                .equals(
                    "Unschedulable: 0/4 nodes are available: 1 node(s) didn't match Pod's node"
                        + " affinity/selector, 1 node(s) had untolerated taint {gpu: yes}, 1"
                        + " node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 1"
                        + " node(s) were unschedulable."));
    // And binds it as soon as one does.
    createNode("e", "\"disk\":\"ssd\"", "", "True");
    eventually(() -> nodeOf("p").equals("e"));
  }

  @Test
  void honoursTolerations() {
    createNode(
        "d",
        "",
        "\"taints\":[{\"key\":\"gpu\",\"value\":\"yes\",\"effect\":\"NoSchedule\"}]",
        "True");
    start();
    createPod("p", "\"tolerations\":[{\"key\":\"gpu\",\"operator\":\"Equal\",\"value\":\"yes\"}],");
    eventually(() -> nodeOf("p").equals("d"));
  }

  @Test
  void waitsForNodes() {
    start();
    createPod("p", "");
    eventually(
        () -> unschedulable("p").equals("Unschedulable: no nodes available to schedule pods"));
    createNode("a", "", "", "True");
    eventually(() -> nodeOf("p").equals("a"));
  }

  @Test
  void doesNotOverfillANode() {
    createNode("a", "", "", "True");
    start();
    for (int i = 0; i < 4; i++) {
      createPod("p" + i, "");
    }
    eventually(
        () ->
            cluster.list(ResourceType.POD).stream()
                    .filter(p -> p.text("/spec/nodeName").isEmpty())
                    .filter(p -> unschedulable(p.name()).endsWith("1 Too many pods."))
                    .count()
                == 1);
  }
}
