package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.List;

/** {@code v1/Pod}: what a pod has beyond its spec's defaults, and what may change in it. */
final class PodRules implements ServedKind.Rules {

  /** {@code DefaultTolerationSeconds}, the admission plugin. */
  private static final int TOLERATED_SECONDS = 300;

  @Override
  public void setDefaults(ObjectNode object) {
    ObjectNode spec = object.withObject("/spec");
    Defaults.text(spec, "serviceAccountName", "default");
    PodTemplates.setDefaults(spec);
    Defaults.flag(spec, "enableServiceLinks", true);
    Defaults.number(spec, "priority", 0);
    Defaults.text(spec, "preemptionPolicy", "PreemptLowerPriority");
    for (String list : List.of("initContainers", "containers")) {
      Defaults.each(spec, list, PodRules::requestWhatIsLimited);
    }
    for (String taint : List.of("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")) {
      tolerate(spec, taint);
    }
    ObjectNode status = object.withObject("/status");
    Defaults.text(status, "phase", "Pending");
    Defaults.text(status, "qosClass", qosClass(spec));
  }

  private static void requestWhatIsLimited(ObjectNode container) {
    JsonNode limits = container.path("resources").path("limits");
    if (!limits.isEmpty()) {
      ObjectNode requests = Defaults.object(container.withObject("/resources"), "requests");
      limits
          .properties()
          .forEach(
              limit -> {
                if (!requests.has(limit.getKey())) {
                  requests.set(limit.getKey(), limit.getValue());
                }
              });
    }
  }

  private static void tolerate(ObjectNode spec, String taint) {
    for (JsonNode toleration : spec.path("tolerations")) {
      String key = toleration.path("key").asText();
      String effect = toleration.path("effect").asText();
      if ((key.equals(taint) || key.isEmpty())
          && (effect.isEmpty() || effect.equals("NoExecute"))) {
        return;
      }
    }
    ArrayNode tolerations =
        spec.get("tolerations") instanceof ArrayNode there ? there : spec.putArray("tolerations");
    tolerations
        .addObject()
        .put("key", taint)
        .put("operator", "Exists")
        .put("effect", "NoExecute")
        .put("tolerationSeconds", TOLERATED_SECONDS);
  }

  /**
   * {@code GetPodQOS}: Guaranteed if every container's cpu and memory limits equal its requests,
   * BestEffort if none has any.
   */
  private static String qosClass(JsonNode spec) {
    boolean any = false;
    boolean guaranteed = true;
    for (JsonNode container : spec.path("containers")) {
      JsonNode limits = container.path("resources").path("limits");
      JsonNode requests = container.path("resources").path("requests");
      any |= !limits.isEmpty() || !requests.isEmpty();
      for (String resource : List.of("cpu", "memory")) {
        guaranteed &=
            limits.has(resource)
                && (!requests.has(resource)
                    || requests.path(resource).equals(limits.path(resource)));
      }
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    PodTemplates.validate("spec", object.at("/spec"), violations);
    EphemeralContainers.validate(object.at("/spec"), violations);
  }

  @Override
  public void validateNew(KubeObject object, Violations violations) {
    if (!object.at("/spec/" + EphemeralContainers.FIELD).isEmpty()) {
      violations.forbidden("spec." + EphemeralContainers.FIELD, "cannot be set on create");
    }
  }

  @Override
  public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
    String bound = old.text("/spec/nodeName");
    boolean rebound = !bound.isEmpty() && !bound.equals(now.text("/spec/nodeName"));
    if (rebound || !withoutMutable(old).equals(withoutMutable(now))) {
      violations.forbidden(
          "spec",
          "pod updates may not change fields other than `spec.containers[*].image`,"
              + " `spec.initContainers[*].image`, `spec.activeDeadlineSeconds`,"
              + " `spec.tolerations` (only additions to existing tolerations) or"
              + " `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was"
              + " previously negative)");
    }
    for (JsonNode toleration : old.at("/spec/tolerations")) {
      boolean kept = false;
      for (JsonNode other : now.at("/spec/tolerations")) {
        kept |= other.equals(toleration);
      }
      if (!kept) {
        violations.forbidden(
            "spec.tolerations",
            "existing toleration can not be modified except its" + " tolerationSeconds");
      }
    }
  }

  /** What must stay as it is; a pod that no node has yet may be given one. */
  private static JsonNode withoutMutable(KubeObject pod) {
    ObjectNode spec = pod.at("/spec").deepCopy();
    spec.remove(List.of("activeDeadlineSeconds", "tolerations", "nodeName"));
    for (String list : List.of("initContainers", "containers")) {
      Defaults.each(spec, list, container -> container.remove(List.of("image", "imagePullPolicy")));
    }
    return spec;
  }

  @Override
  public boolean deletesGracefully(KubeObject pod) {
    return !pod.text("/spec/nodeName").isEmpty()
        && !List.of("Succeeded", "Failed").contains(pod.text("/status/phase"));
  }
}
