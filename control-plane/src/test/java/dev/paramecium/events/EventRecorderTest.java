package dev.paramecium.events;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EventRecorderTest {

  private final TestCluster cluster = new TestCluster();
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2023-01-09T19:00:00.5Z"));
  private final ActorRef<EventRecorder.Command> recorder =
      cluster.kit.spawn(EventRecorder.create(cluster.api, now::get, "kubelet", "node-1"));

  @AfterEach
  void stop() {
    cluster.close();
  }

  private List<KubeObject> events() {
    return cluster.list(ResourceType.EVENT);
  }

  private int count(KubeObject event) {
    return event.at("/count").asInt();
  }

  @Test
  void writesWhatHappenedToWhatAndWhoSaysSo() {
    KubeObject pod = cluster.createPod("curl", "curl", "");
    recorder.tell(
        Event.warning(pod, "BackOff", "Back-off restarting failed container")
            .at("spec.containers{main}"));
    eventually(() -> events().size() == 1);
    KubeObject event = events().getFirst();
    assertThat(event.namespace()).isEqualTo("default");
    assertThat(event.name()).isEqualTo("curl." + hex());
    assertThat(event.at("/involvedObject"))
        .isEqualTo(
            TestCluster.object(
                    """
                    {"kind":"Pod","namespace":"default","name":"curl","uid":"%s","apiVersion":"v1",
                     "resourceVersion":"%d","fieldPath":"spec.containers{main}"}
                    """
                        .formatted(pod.uid(), pod.resourceVersion()))
                .json());
    assertThat(event.text("/type")).isEqualTo("Warning");
    assertThat(event.text("/reason")).isEqualTo("BackOff");
    assertThat(event.text("/message")).isEqualTo("Back-off restarting failed container");
    assertThat(event.text("/source/component")).isEqualTo("kubelet");
    assertThat(event.text("/source/host")).isEqualTo("node-1");
    assertThat(event.text("/firstTimestamp")).isEqualTo("2023-01-09T19:00:00Z");
    assertThat(event.text("/lastTimestamp")).isEqualTo("2023-01-09T19:00:00Z");
    assertThat(count(event)).isEqualTo(1);
  }

  private String hex() {
    Instant at = now.get();
    return "%016x".formatted(at.getEpochSecond() * 1_000_000_000L + at.getNano());
  }

  @Test
  void countsTheSameEventWithinTenMinutesAndBeginsAnewAfterThem() {
    KubeObject pod = cluster.createPod("curl", "curl", "");
    Event event = Event.normal(pod, "Pulled", "there");
    recorder.tell(event);
    recorder.tell(Event.normal(pod, "Pulled", "elsewhere"));
    eventually(() -> events().size() == 2);
    now.updateAndGet(t -> t.plus(Duration.ofMinutes(9)));
    recorder.tell(event);
    eventually(() -> events().stream().anyMatch(e -> count(e) == 2));
    KubeObject counted = events().stream().filter(e -> count(e) == 2).findFirst().orElseThrow();
    assertThat(counted.text("/message")).isEqualTo("there");
    assertThat(counted.text("/firstTimestamp")).isEqualTo("2023-01-09T19:00:00Z");
    assertThat(counted.text("/lastTimestamp")).isEqualTo("2023-01-09T19:09:00Z");
    now.updateAndGet(t -> t.plus(EventRecorder.SAME_EVENT));
    recorder.tell(event);
    eventually(() -> events().size() == 3);
    assertThat(events().stream().map(this::count)).containsExactlyInAnyOrder(1, 1, 2);
  }

  @Test
  void beginsAnewWhenTheEventThatItWouldCountIsGone() {
    Event event = Event.normal(cluster.createPod("curl", "curl", ""), "Pulled", "there");
    recorder.tell(event);
    eventually(() -> events().size() == 1);
    KubeObject first = events().getFirst();
    TestCluster.stored(cluster.api.delete(ResourceType.EVENT, "default", first.name(), -1));
    now.updateAndGet(t -> t.plusSeconds(1));
    recorder.tell(event);
    eventually(() -> events().size() == 1);
    assertThat(events().getFirst().name()).isNotEqualTo(first.name());
    assertThat(count(events().getFirst())).isEqualTo(1);
  }

  @Test
  void putsEventsOfWhatHasNoNamespaceIntoDefault() {
    KubeObject node =
        cluster.create(ResourceType.NODE, "{\"kind\":\"Node\",\"metadata\":{\"name\":\"a\"}}");
    recorder.tell(Event.normal(node, "NodeNotReady", "Node a status is now: NodeNotReady"));
    eventually(() -> events().size() == 1);
    assertThat(events().getFirst().namespace()).isEqualTo("default");
    assertThat(events().getFirst().at("/involvedObject/namespace").isMissingNode()).isTrue();
  }

  @Test
  void expiresWhatNobodyToldForAnHour() {
    KubeObject pod = cluster.createPod("curl", "curl", "");
    // An object's creation is the API server's time: the clock here is ahead of it.
    now.set(Instant.now());
    recorder.tell(Event.normal(pod, "Scheduled", "old"));
    eventually(() -> events().size() == 1);
    cluster.kit.spawn(EventExpiry.create(cluster.api, now::get, Duration.ofMillis(20)));
    now.updateAndGet(t -> t.plus(EventExpiry.TTL).minusSeconds(10));
    recorder.tell(Event.normal(pod, "Started", "young"));
    await()
        .during(Duration.ofMillis(200))
        .atMost(Duration.ofSeconds(5))
        .until(() -> events().size() == 2);
    now.updateAndGet(t -> t.plusSeconds(20));
    eventually(() -> events().size() == 1);
    assertThat(events().getFirst().text("/message")).isEqualTo("young");
  }
}
