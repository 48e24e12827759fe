package dev.paramecium.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.Reconciler.Key;
import dev.paramecium.controller.Reconciler.Plan;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TaintEvictionsTest {

  private static final Instant ADDED = Instant.parse("2026-01-01T00:00:00Z");

  private final World world = new World(new Random(1));
  private final TaintEvictions evictions = new TaintEvictions();

  private Plan plan(String taints, String tolerations, Duration since) {
    world.put(World.object("{kind: Node, metadata: {name: a}, spec: {taints: " + taints + "}}"));
    world.put(
        World.object(
            "{kind: Pod, metadata: {name: p, namespace: default}, spec: {nodeName: a,"
                + " tolerations: "
                + tolerations
                + "}}"));
    return evictions.plan(new Key("default", "p"), world.cache, ADDED.plus(since));
  }

  private static String taint(String key, String effect) {
    return "{key: " + key + ", value: v, effect: " + effect + ", timeAdded: '" + ADDED + "'}";
  }

  private static String tolerated(String key, int seconds) {
    return "{key: "
        + key
        + ", operator: Exists, effect: NoExecute, tolerationSeconds: "
        + seconds
        + "}";
  }

  private static void assertDeletes(Plan plan) {
    assertThat(plan.writes())
        .singleElement()
        .isInstanceOfSatisfying(
            Write.Delete.class, delete -> assertThat(delete.object().name()).isEqualTo("p"));
    KubeObject pod = ((Write.Delete) plan.writes().getFirst()).object();
    assertThat(plan.announcements().getFirst().event(pod).message())
        .isEqualTo("Marking for deletion Pod default/p");
  }

  @Test
  void aPodThatDoesNotTolerateATaintGoesAtOnce() {
    assertDeletes(plan("[" + taint("gpu", "NoExecute") + "]", "[]", Duration.ZERO));
  }

  @Test
  void onlyNoExecuteMovesAPodThatRuns() {
    assertThat(plan("[" + taint("gpu", "NoSchedule") + "]", "[]", Duration.ZERO))
        .isEqualTo(Plan.NOTHING);
  }

  @Test
  void aPodStaysForAsLongAsItTolerates() {
    String taints = "[" + taint("node.kubernetes.io/unreachable", "NoExecute") + "]";
    String tolerations = "[" + tolerated("node.kubernetes.io/unreachable", 300) + "]";
    Plan early = plan(taints, tolerations, Duration.ofSeconds(100));
    assertThat(early.writes()).isEmpty();
    assertThat(early.again()).isEqualTo(Duration.ofSeconds(200));
    assertDeletes(plan(taints, tolerations, Duration.ofSeconds(300)));
  }

  @Test
  void theShortestPatienceCounts() {
    String taints = "[" + taint("a", "NoExecute") + "," + taint("b", "NoExecute") + "]";
    String tolerations = "[" + tolerated("a", 300) + "," + tolerated("b", 10) + "]";
    assertThat(plan(taints, tolerations, Duration.ZERO).again()).isEqualTo(Duration.ofSeconds(10));
  }

  @Test
  void aPodThatToleratesEverythingStays() {
    assertThat(
            plan("[" + taint("gpu", "NoExecute") + "]", "[{operator: Exists}]", Duration.ofDays(9)))
        .isEqualTo(Plan.NOTHING);
    assertThat(
            plan(
                "[" + taint("gpu", "NoExecute") + "]",
                "[{key: gpu, operator: Equal, value: v}]",
                Duration.ofDays(9)))
        .isEqualTo(Plan.NOTHING);
    assertDeletes(
        plan(
            "[" + taint("gpu", "NoExecute") + "]",
            "[{key: gpu, operator: Equal, value: w}]",
            Duration.ZERO));
  }

  @Test
  void aTaintConcernsThePodsOfItsNode() {
    plan("[" + taint("gpu", "NoExecute") + "]", "[]", Duration.ZERO);
    world.put(
        World.object("{kind: Pod, metadata: {name: q, namespace: default}, spec: {nodeName: b}}"));
    assertThat(evictions.concerned(world.cache.get(ResourceType.NODE, "", "a"), world.cache))
        .containsExactly(new Key("default", "p"));
  }
}
