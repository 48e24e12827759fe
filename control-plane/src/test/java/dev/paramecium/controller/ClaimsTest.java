package dev.paramecium.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who looks after whom when labels and owners change. */
class ClaimsTest {

  private final World world = new World(new Random(7));

  @BeforeEach
  void aNode() {
    world.put(World.object("{apiVersion: v1, kind: Node, metadata: {name: node-1}}"));
  }

  private void workload(String kind) {
    String group = kind.equals("Job") ? "batch/v1" : "apps/v1";
    world.put(
        World.object(
            """
            apiVersion: %s
            kind: %s
            metadata: {name: web, namespace: default}
            spec:
              replicas: 1
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec: {containers: [{name: c, image: nginx}]}
            """
                .formatted(group, kind)));
    settle();
  }

  private void settle() {
    for (int i = 0; world.step(); i++) {
      assertThat(i).as("steps").isLessThan(100);
    }
  }

  private List<KubeObject> pods() {
    return List.copyOf(world.cache.all(ResourceType.POD));
  }

  private KubeObject put(KubeObject pod, String label, boolean owned) {
    KubeObject changed = pod.copy();
    changed.json().withObject("/metadata/labels").put("app", label);
    if (!owned) {
      changed.json().withObject("/metadata").remove("ownerReferences");
    }
    return world.put(changed);
  }

  private static String controller(KubeObject object) {
    var reference = Owners.controllerOf(object);
    return reference == null ? "" : reference.path("kind").asText();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ReplicaSet", "DaemonSet", "StatefulSet", "Job"})
  void anOrphanThatMatchesIsAdopted(String kind) {
    workload(kind);
    KubeObject orphan = put(pods().getFirst(), "web", false);
    settle();
    assertThat(pods()).singleElement().extracting(KubeObject::uid).isEqualTo(orphan.uid());
    assertThat(controller(pods().getFirst())).isEqualTo(kind);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ReplicaSet", "DaemonSet", "Job"})
  void aPodThatMatchesNoMoreIsLetGoAndReplaced(String kind) {
    workload(kind);
    KubeObject quarantined = put(pods().getFirst(), "quarantine", true);
    settle();
    assertThat(pods()).hasSize(2);
    for (KubeObject pod : pods()) {
      boolean free = pod.uid().equals(quarantined.uid());
      assertThat(controller(pod)).isEqualTo(free ? "" : kind);
    }
  }

  @Test
  void aDeploymentTakesTheReplicaSetsOfOneBeforeIt() {
    workload("Deployment");
    KubeObject set = world.cache.all(ResourceType.REPLICA_SET).iterator().next();
    put(set, "web", false);
    settle();
    assertThat(world.cache.all(ResourceType.REPLICA_SET))
        .singleElement()
        .satisfies(adopted -> assertThat(controller(adopted)).isEqualTo("Deployment"));
    assertThat(pods()).hasSize(1);
  }

  @Test
  void aStatefulSetTakesNoPodOfAnotherName() {
    workload("StatefulSet");
    world.put(
        World.object(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: web-store-0, namespace: default, labels: {app: web}}
            spec: {containers: [{name: c, image: nginx}]}
            """));
    settle();
    assertThat(pods()).extracting(KubeObject::name).contains("web-0", "web-store-0");
    assertThat(controller(world.cache.get(ResourceType.POD, "default", "web-store-0"))).isEmpty();
  }
}
