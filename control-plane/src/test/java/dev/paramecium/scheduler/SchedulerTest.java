package dev.paramecium.scheduler;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
                        + " node(s) were unschedulable. preemption: 0/4 nodes are available: 4"
                        + " Preemption is not helpful for scheduling."));
    // And binds it as soon as one does.
    createNode("e", "\"disk\":\"ssd\"", "", "True");
    eventually(() -> nodeOf("p").equals("e"));
  }

  @Test
  void leavesAPodToTheSchedulerThatItNames() {
    createNode("node-1", "", "", "True");
    start();
    createPod("anothers", "\"schedulerName\":\"another\",");
    createPod("ours", "\"schedulerName\":\"default-scheduler\",");
    await().untilAsserted(() -> assertThat(nodeOf("ours")).isEqualTo("node-1"));
    assertThat(nodeOf("anothers")).isEmpty();
    assertThat(unschedulable("anothers")).isEmpty();
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
    eventually(() -> cluster.eventsOf("p").size() == 2);
    assertThat(cluster.eventsOf("p"))
        .containsExactly(
            "Warning FailedScheduling: no nodes available to schedule pods",
            "Normal Scheduled: Successfully assigned default/p to a");
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
                    .filter(p -> unschedulable(p.name()).contains("1 Too many pods."))
                    .count()
                == 1);
  }

  @Test
  void leavesAPodThatAsksForMoreThanANodeHasPending() {
    for (String name : new String[] {"a", "b"}) {
      createNode(name, "", "", "True");
      allocatable(name, "\"cpu\":\"4\",\"memory\":\"8Gi\",\"pods\":\"110\"");
    }
    start();
    createPodAsking("huge", "\"cpu\":\"5000\"");
    eventually(
        () ->
            unschedulable("huge")
                .equals(
                    "Unschedulable: 0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2"
                        + " nodes are available: 2 No preemption victims found for incoming pod."));
    // Two of 2500m do not share 4 CPUs, and each takes a node of its own; a third waits for room.
    createPodAsking("p1", "\"cpu\":\"2500m\"");
    createPodAsking("p2", "\"cpu\":\"2.5\",\"memory\":\"1G\"");
    eventually(() -> !nodeOf("p1").isEmpty() && !nodeOf("p2").isEmpty());
    assertThat(nodeOf("p1")).isNotEqualTo(nodeOf("p2"));
    createPodAsking("p3", "\"cpu\":\"2\"");
    eventually(() -> unschedulable("p3").contains("2 Insufficient cpu."));
    String freed = nodeOf("p1");
    TestCluster.stored(cluster.api.delete(ResourceType.POD, "default", "p1", 0));
    eventually(() -> nodeOf("p3").equals(freed));
    assertThat(nodeOf("huge")).isEmpty();
  }

  private void allocatable(String node, String resources) {
    TestCluster.stored(
        cluster.api.mergePatch(
            ResourceType.NODE,
            "",
            node,
            "status",
            "{\"status\":{\"allocatable\":{%s}}}".formatted(resources)));
  }

  private void createPodAsking(String name, String requests) {
    cluster.create(
        ResourceType.POD,
        """
        {"kind":"Pod","metadata":{"name":"%s","namespace":"default"},
         "spec":{"containers":[{"name":"c","image":"pause","resources":{"requests":{%s}}}]}}
        """
            .formatted(name, requests));
  }

  @Test
  void obeysNodeAffinityAndPodAffinityAndAntiAffinity() {
    createNode("a", "\"zone\":\"one\",\"gen\":\"3\"", "", "True");
    createNode("b", "\"zone\":\"two\",\"gen\":\"7\"", "", "True");
    start();
    createPod(
        "newest",
        "\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":"
            + "{\"nodeSelectorTerms\":[{\"matchExpressions\":"
            + "[{\"key\":\"gen\",\"operator\":\"Gt\",\"values\":[\"5\"]}]}]}}},");
    eventually(() -> nodeOf("newest").equals("b"));
    // The first of a group needs nobody but itself; the others go where it is.
    createLabelled("db", affinity("podAffinity", "db"));
    eventually(() -> !nodeOf("db").isEmpty());
    createLabelled("client", affinity("podAffinity", "db"));
    eventually(() -> nodeOf("client").equals(nodeOf("db")));
    createLabelled("rival", affinity("podAntiAffinity", "db"));
    eventually(() -> !nodeOf("rival").isEmpty());
    assertThat(nodeOf("rival")).isNotEqualTo(nodeOf("db"));
    createLabelled("lost", affinity("podAffinity", "nobody"));
    eventually(() -> unschedulable("lost").contains("2 node(s) didn't match pod affinity rules. "));
  }

  private static String affinity(String kind, String app) {
    return "\"%s\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"topologyKey\":\"zone\",\"labelSelector\":{\"matchLabels\":{\"app\":\"%s\"}}}]}"
        .formatted(kind, app);
  }

  private void createLabelled(String name, String affinity) {
    cluster.create(
        ResourceType.POD,
        """
        {"kind":"Pod","metadata":{"name":"%s","namespace":"default","labels":{"app":"%s"}},
         "spec":{"affinity":{%s},"containers":[{"name":"c","image":"pause"}]}}
        """
            .formatted(name, name, affinity));
  }
}
