package dev.paramecium.controller;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is remembered of the templates that DaemonSets and StatefulSets had. */
class RevisionsTest {

  private final World world = new World(new Random(7));
  private ResourceType type = ResourceType.STATEFUL_SET;

  @BeforeEach
  void aNode() {
    world.put(World.object("{apiVersion: v1, kind: Node, metadata: {name: node-1}}"));
  }

  private void create(String kind, int replicas) {
    type = kind.equals("DaemonSet") ? ResourceType.DAEMON_SET : ResourceType.STATEFUL_SET;
    world.put(
        World.object(
            """
            apiVersion: apps/v1
            kind: %s
            metadata:
              name: web
              namespace: default
              annotations: {kubernetes.io/change-cause: first}
            spec:
              replicas: %d
              revisionHistoryLimit: 2
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec: {containers: [{name: c, image: one}]}
            """
                .formatted(kind, replicas)));
    settle();
  }

  /** Pods become ready as soon as they are there. */
  private void settle() {
    boolean moved = true;
    for (int i = 0; moved; i++) {
      assertThat(i).as("steps").isLessThan(1_000);
      moved = world.step();
      for (KubeObject pod : world.pods()) {
        if (pod.text("/status/phase").isEmpty()) {
          world.setPod(pod, "Running", true);
          moved = true;
        }
      }
    }
  }

  private KubeObject set() {
    return world.cache.get(type, "default", "web");
  }

  private void change(String image) {
    KubeObject changed = set().copy();
    ((ObjectNode) changed.at("/spec/template/spec/containers/0")).put("image", image);
    changed
        .json()
        .withObject("/metadata/annotations")
        .put("kubernetes.io/change-cause", "to " + image);
    world.put(changed);
  }

  private List<String> history() {
    return world.cache.all(ResourceType.CONTROLLER_REVISION).stream()
        .sorted(Comparator.comparingLong(revision -> revision.at("/revision").asLong()))
        .map(
            revision ->
                "%d %s %s"
                    .formatted(
                        revision.at("/revision").asLong(),
                        image(revision, "/data/spec/template"),
                        revision
                            .at("/metadata/annotations")
                            .path("kubernetes.io/change-cause")
                            .asText()))
        .toList();
  }

  private static String image(KubeObject object, String template) {
    return object.at(template).at("/spec/containers/0/image").asText();
  }

  private List<String> images() {
    return world.pods().stream()
        .sorted(Comparator.comparing(KubeObject::name))
        .map(pod -> image(pod, ""))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"DaemonSet", "StatefulSet"})
  void eachTemplateIsARevisionAndOneThatReturnsIsTheNewestAgain(String kind) {
    create(kind, 1);
    assertThat(history()).containsExactly("1 one first");
    change("two");
    settle();
    assertThat(history()).containsExactly("1 one first", "2 two to two");
    assertThat(images()).containsExactly("two");
    change("one");
    settle();
    assertThat(history()).containsExactly("2 two to two", "3 one first");
    assertThat(images()).containsExactly("one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"DaemonSet", "StatefulSet"})
  void aRevisionIsAPatchThatReplacesTheTemplate(String kind) {
    create(kind, 1);
    KubeObject revision = world.cache.all(ResourceType.CONTROLLER_REVISION).iterator().next();
    KubeObject pod = world.pods().getFirst();
    assertThat(revision.at("/data/spec/template/$patch").asText()).isEqualTo("replace");
    assertThat(revision.labels()).containsEntry("app", "web");
    assertThat(Owners.isControlledBy(revision, set())).isTrue();
    // A daemon pod's label is the hash alone, a stateful one's the revision's name.
    String hash = pod.labels().get("controller-revision-hash");
    assertThat(revision.name()).isEqualTo(kind.equals("DaemonSet") ? "web-" + hash : hash);
  }

  @ParameterizedTest
  @ValueSource(strings = {"DaemonSet", "StatefulSet"})
  void asManyAsTheLimitSaysAreKeptOfThoseThatAreNotInUse(String kind) {
    create(kind, 1);
    for (String image : List.of("two", "three", "four", "five")) {
      change(image);
      settle();
    }
    assertThat(history()).containsExactly("3 three to three", "4 four to four", "5 five to five");
  }

  @Test
  void belowThePartitionAPodThatIsLostReturnsAsItWas() {
    create("StatefulSet", 3);
    String before = set().text("/status/currentRevision");
    KubeObject changed = set().copy();
    changed.json().withObject("/spec/updateStrategy/rollingUpdate").put("partition", 2);
    world.put(changed);
    change("two");
    settle();
    assertThat(images()).containsExactly("one", "one", "two");
    world.delete(ResourceType.POD, world.cache.get(ResourceType.POD, "default", "web-0"));
    settle();
    assertThat(images()).containsExactly("one", "one", "two");
    assertThat(set().text("/status/currentRevision")).isEqualTo(before);
    assertThat(set().at("/status/currentReplicas").asInt()).isEqualTo(2);
    assertThat(set().at("/status/updatedReplicas").asInt()).isEqualTo(1);

    KubeObject onward = set().copy();
    onward.json().withObject("/spec/updateStrategy/rollingUpdate").put("partition", 0);
    world.put(onward);
    settle();
    assertThat(images()).containsExactly("two", "two", "two");
    assertThat(set().text("/status/currentRevision"))
        .isEqualTo(set().text("/status/updateRevision"))
        .isNotEqualTo(before);
    assertThat(set().at("/status/currentReplicas").asInt()).isEqualTo(3);
  }
}
