package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.Owners;
import dev.paramecium.controller.Reconciler.Announcement;
import dev.paramecium.controller.Write;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Pods as workload controllers see them ({@code pkg/controller/controller_utils.go}). */
final class Pods {

  private Pods() {}

  /** A pod from a template, owned by {@code owner}; its name is the API server's choice. */
  static ObjectNode fromTemplate(JsonNode template, KubeObject owner) {
    ObjectNode pod = JsonNodeFactory.instance.objectNode();
    pod.put("apiVersion", "v1").put("kind", "Pod");
    ObjectNode metadata = pod.putObject("metadata");
    metadata.put("generateName", owner.name() + "-");
    metadata.put("namespace", owner.namespace());
    for (String field : new String[] {"labels", "annotations", "finalizers"}) {
      if (template.path("metadata").has(field)) {
        metadata.set(field, template.path("metadata").path(field).deepCopy());
      }
    }
    pod.set("spec", template.path("spec").deepCopy());
    Owners.setController(pod, owner);
    return pod;
  }

  static boolean isTerminating(KubeObject pod) {
    return pod.at("/metadata/deletionTimestamp").isTextual();
  }

  static boolean isFinished(KubeObject pod) {
    String phase = pod.text("/status/phase");
    return phase.equals("Succeeded") || phase.equals("Failed");
  }

  /** It counts: it runs or will, and nobody is deleting it. */
  static boolean isActive(KubeObject pod) {
    return !isFinished(pod) && !isTerminating(pod);
  }

  static boolean isReady(KubeObject pod) {
    return condition(pod).path("status").asText().equals("True");
  }

  private static JsonNode condition(KubeObject pod) {
    for (JsonNode condition : pod.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition;
      }
    }
    return JsonNodeFactory.instance.missingNode();
  }

  /** What the pods say of the ControllerRevisions that they were made from. */
  static Set<String> revisions(List<KubeObject> pods) {
    Set<String> revisions = new HashSet<>();
    pods.forEach(pod -> revisions.add(pod.labels().getOrDefault(Revisions.HASH, "")));
    return revisions;
  }

  /** How long until it has been ready for {@code minReadySeconds}; null if it is not ready. */
  static Duration untilAvailable(KubeObject pod, long minReadySeconds, Instant now) {
    Instant since = time(condition(pod).path("lastTransitionTime").asText(), now);
    Duration left = Duration.between(now, since.plusSeconds(minReadySeconds));
    return left.isNegative() || minReadySeconds == 0 ? Duration.ZERO : left;
  }

  static boolean isAvailable(KubeObject pod, long minReadySeconds, Instant now) {
    return isReady(pod) && untilAvailable(pod, minReadySeconds, now).isZero();
  }

  static Instant time(String text, Instant otherwise) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      return otherwise;
    }
  }

  /** Whom to delete first: not placed, not running, not ready, young. */
  static final Comparator<KubeObject> LEAST_WORTH_FIRST =
      Comparator.comparing((KubeObject pod) -> !pod.text("/spec/nodeName").isEmpty())
          .thenComparing(pod -> pod.text("/status/phase").equals("Running"))
          .thenComparing(Pods::isReady)
          .thenComparing(
              Comparator.comparing((KubeObject pod) -> pod.text("/metadata/creationTimestamp"))
                  .reversed())
          .thenComparing(KubeObject::name);

  /**
   * What {@code owner}'s events say of pods that are made and deleted for it.
   *
   * @param created with {@code %s} for the pod's name, as {@code deleted}
   */
  static List<Announcement> announcements(
      KubeObject owner, List<Write> writes, String created, String deleted) {
    List<Announcement> said = new ArrayList<>();
    for (Write write : writes) {
      if (!write.type().equals(ResourceType.POD)) {
        continue;
      }
      switch (write) {
        case Write.Create _ ->
            said.add(new Announcement(write, owner, "SuccessfulCreate", created));
        case Write.Delete _, Write.Kill _ ->
            said.add(new Announcement(write, owner, "SuccessfulDelete", deleted));
        case Write.Update _, Write.UpdateStatus _ -> {}
      }
    }
    return said;
  }
}
