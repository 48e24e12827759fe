package dev.paramecium.controller;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * kube-controller-manager's taint manager: a pod on a node with a NoExecute taint goes, at once if
 * it does not tolerate the taint, after {@code tolerationSeconds} if it does for so long. The time
 * counts from the taint's {@code timeAdded}, which {@link NodeLifecycle} gives to those that have
 * none.
 */
public final class TaintEvictions implements Reconciler {

  @Override
  public String name() {
    return "taint-eviction-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.POD, ResourceType.NODE);
  }

  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    if (changed.kind().equals(ResourceType.POD.kind())) {
      return changed.text("/spec/nodeName").isEmpty() ? List.of() : List.of(Key.of(changed));
    }
    if (noExecute(changed).isEmpty()) {
      return List.of();
    }
    return cache.all(ResourceType.POD).stream()
        .filter(pod -> pod.text("/spec/nodeName").equals(changed.name()))
        .map(Key::of)
        .toList();
  }

  private static List<JsonNode> noExecute(KubeObject node) {
    JsonNode taints = node.at("/spec/taints");
    return taints
        .valueStream()
        .filter(taint -> taint.path("effect").asText().equals("NoExecute"))
        .toList();
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject pod = cache.get(ResourceType.POD, key.namespace(), key.name());
    KubeObject node =
        pod == null ? null : cache.get(ResourceType.NODE, "", pod.text("/spec/nodeName"));
    if (pod == null || node == null || pod.at("/metadata/deletionTimestamp").isTextual()) {
      return Plan.NOTHING;
    }
    Instant due = null;
    for (JsonNode taint : noExecute(node)) {
      Instant tolerated = toleratedUntil(pod, taint, now);
      if (due == null || tolerated.isBefore(due)) {
        due = tolerated;
      }
    }
    if (due == null || due.equals(Instant.MAX)) {
      return Plan.NOTHING;
    }
    if (due.isAfter(now)) {
      return new Plan(List.of(), Duration.between(now, due));
    }
    Write delete = new Write.Delete(ResourceType.POD, pod);
    String what = "Marking for deletion Pod " + pod.namespace() + "/%s";
    return new Plan(
        List.of(delete),
        List.of(new Announcement(delete, pod, "TaintManagerEviction", what)),
        Duration.ZERO);
  }

  /** Until when the first toleration that matches lets the pod stay: by default for ever. */
  private static Instant toleratedUntil(KubeObject pod, JsonNode taint, Instant now) {
    JsonNode toleration = matching(pod, taint);
    if (toleration == null) {
      return now;
    }
    JsonNode seconds = toleration.path("tolerationSeconds");
    String added = taint.path("timeAdded").asText();
    if (!seconds.isNumber() || added.isEmpty()) {
      return Instant.MAX; // a taint without its time gets it soon, which is a change of the node
    }
    return Instant.parse(added).plusSeconds(Math.max(0, seconds.asLong()));
  }

  private static @Nullable JsonNode matching(KubeObject pod, JsonNode taint) {
    for (JsonNode toleration : pod.at("/spec/tolerations")) {
      String key = toleration.path("key").asText();
      String effect = toleration.path("effect").asText();
      boolean exists = toleration.path("operator").asText().equals("Exists");
      if ((effect.isEmpty() || effect.equals("NoExecute"))
          && (key.isEmpty() ? exists : key.equals(taint.path("key").asText()))
          && (exists || toleration.path("value").asText().equals(taint.path("value").asText()))) {
        return toleration;
      }
    }
    return null;
  }
}
