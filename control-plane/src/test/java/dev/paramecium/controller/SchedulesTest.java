package dev.paramecium.controller;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.chaos.Schedules;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Experiments that are made again and again; the test moves the time. */
final class SchedulesTest {

  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private final Schedules schedules = new Schedules();
  private final World world = new World(new Random(1), List.of());

  private void schedule(String spec) {
    KubeObject schedule =
        World.object(
            """
            {apiVersion: chaos-mesh.org/v1alpha1, kind: Schedule,
             metadata: {name: often, namespace: default, uid: u, creationTimestamp: "%s"},
             spec: {type: PodChaos, podChaos: {action: pod-failure, mode: one, duration: 10s}, %s}}
            """
                .formatted(START, spec));
    world.cache.put(schedule);
  }

  /** What happens at a time, until nothing is left to do; the first plan. */
  private Reconciler.Plan at(int second) {
    Reconciler.Plan first = step(second);
    for (Reconciler.Plan next = first; !next.writes().isEmpty(); ) {
      next = step(second);
    }
    return first;
  }

  private Reconciler.Plan step(int second) {
    Instant now = START.plusSeconds(second);
    Reconciler.Plan plan = schedules.plan(new Reconciler.Key("default", "often"), world.cache, now);
    for (Write write : plan.writes()) {
      switch (write) {
        case Write.Create create -> {
          ObjectNode made = create.object().copy().json();
          made.withObject("/metadata").put("creationTimestamp", now.toString());
          made.withObject("/metadata").put("uid", "of-" + second);
          world.put(new KubeObject(made));
        }
        case Write.UpdateStatus update -> world.cache.put(update.object());
        case Write.Delete delete -> world.cache.remove(delete.object());
        case Write.Update _, Write.Kill _ -> throw new AssertionError(write);
      }
    }
    return plan;
  }

  private List<String> made() {
    return world.cache.all(ResourceType.POD_CHAOS).stream().map(KubeObject::name).sorted().toList();
  }

  private void end(String name) {
    KubeObject over = world.cache.get(ResourceType.POD_CHAOS, "default", name).copy();
    over.json().withObject("/status").withObject("/experiment").put("desiredPhase", "Stop");
    world.put(over);
  }

  @Test
  void oneIsMadeEachTimeAndOnce() {
    schedule("schedule: '@every 30s', concurrencyPolicy: Allow");
    assertThat(at(0).again()).isEqualTo(Duration.ofSeconds(30));
    assertThat(made()).isEmpty();
    at(30);
    at(31);
    assertThat(made()).hasSize(1);
    at(60);
    assertThat(made()).hasSize(2);
    KubeObject one = world.cache.get(ResourceType.POD_CHAOS, "default", made().getFirst());
    assertThat(one.text("/spec/action")).isEqualTo("pod-failure");
    assertThat(one.text("/metadata/ownerReferences/0/name")).isEqualTo("often");
    assertThat(world.cache.get(ResourceType.SCHEDULE, "default", "often").at("/status/active"))
        .hasSize(1);
  }

  @Test
  void oneThatStillRunsForbidsTheNext() {
    schedule("schedule: '@every 5s', concurrencyPolicy: Forbid, historyLimit: 2");
    at(5);
    at(10);
    at(14);
    assertThat(made()).hasSize(1);
    end(made().getFirst());
    at(16);
    assertThat(made()).hasSize(2);
  }

  @Test
  void ofThoseThatEndedSoManyStay() {
    schedule("schedule: '@every 30s', historyLimit: 2");
    for (int second = 30; second <= 210; second += 30) {
      at(second);
      made().forEach(this::end);
    }
    at(225);
    assertThat(made()).hasSize(2);
  }

  @Test
  void whatWasMissedForTooLongIsLeftOut() {
    schedule("schedule: '0 * * * *', startingDeadlineSeconds: 10");
    at(3620);
    assertThat(made()).isEmpty();
    at(7205);
    assertThat(made()).hasSize(1);
  }
}
