package dev.paramecium.controller;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PodGarbageCollectorTest {

  private final TestCluster cluster = new TestCluster();
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2023-01-09T19:00:00Z"));

  @AfterEach
  void stop() {
    cluster.close();
  }

  private void start(int terminatedThreshold) {
    cluster.kit.spawn(
        PodGarbageCollector.create(
            cluster.api, now::get, Duration.ofMillis(20), terminatedThreshold));
  }

  private void createNode(String name) {
    cluster.create(
        ResourceType.NODE, "{\"kind\":\"Node\",\"metadata\":{\"name\":\"%s\"}}".formatted(name));
  }

  private boolean exists(String pod) {
    return cluster.find(ResourceType.POD, "default", pod) != null;
  }

  @Test
  void removesPodsOfANodeThatStaysAway() {
    createNode("a");
    createNode("b");
    cluster.createPod("kept", "x", "a");
    cluster.createPod("orphan", "x", "b");
    KubeObject going = cluster.createPod("going", "x", "never-there");
    TestCluster.stored(cluster.api.delete(ResourceType.POD, "default", "going", 30, going.uid()));
    start(0);
    TestCluster.stored(cluster.api.delete(ResourceType.NODE, "", "b", 0));
    // While its time stands still the nodes are in quarantine, however often the collector looks.
    await()
        .during(Duration.ofMillis(200))
        .atMost(Duration.ofSeconds(5))
        .until(() -> exists("orphan") && exists("going"));
    now.updateAndGet(t -> t.plus(PodGarbageCollector.QUARANTINE));
    eventually(() -> !exists("orphan") && !exists("going"));
    assertThat(exists("kept")).isTrue();
  }

  @Test
  void removesTheOldestPodsThatEndedBeyondTheThreshold() {
    createNode("a");
    for (String name : new String[] {"p1", "p2", "p3"}) {
      cluster.createPod(name, "x", "a");
      TestCluster.stored(
          cluster.api.mergePatch(
              ResourceType.POD, "default", name, "status", "{\"status\":{\"phase\":\"Failed\"}}"));
    }
    cluster.createPod("running", "x", "a");
    start(1);
    eventually(() -> !exists("p1") && !exists("p2"));
    assertThat(exists("p3")).isTrue();
    assertThat(exists("running")).isTrue();
  }
}
