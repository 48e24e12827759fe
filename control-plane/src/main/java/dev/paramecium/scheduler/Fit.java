package dev.paramecium.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.LabelSelector;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Whether a pod may run on a node: kube-scheduler's filters NodeUnschedulable, NodeReady (the
 * not-ready and unreachable taints), TaintToleration, NodeAffinity, NodeResourcesFit and
 * InterPodAffinity, in this order; the first that refuses is the one that is told. The texts are
 * the real ones, as {@code kubectl describe} counts them up.
 */
final class Fit {

  /**
   * Why a pod may not run on a node.
   *
   * @param resolvable whether it might if other pods were not there
   */
  record Refusal(String reason, boolean resolvable) {}

  private static final String TERMS =
      "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution"
          + "/nodeSelectorTerms";

  private final KubeObject pod;
  private final Placement placement;
  private final Resources request;
  private final PodAffinity affinity;

  Fit(KubeObject pod, Placement placement) {
    this.pod = pod;
    this.placement = placement;
    this.request = Resources.ofPod(pod);
    this.affinity = new PodAffinity(pod, placement);
  }

  /** Every reason of the first filter that refuses {@code node}, empty if none does. */
  List<Refusal> refusals(KubeObject node) {
    String untolerated = untolerated(node);
    if (!untolerated.isEmpty()) {
      return List.of(new Refusal(untolerated, false));
    }
    if (!LabelSelector.containsAll(node.labels(), pod.at("/spec/nodeSelector"))
        || !meetsNodeAffinity(node)) {
      return List.of(new Refusal("node(s) didn't match Pod's node affinity/selector", false));
    }
    List<Refusal> refusals = insufficient(node);
    if (!refusals.isEmpty()) {
      return refusals;
    }
    if (!affinity.findsItsPodsNear(node)) {
      return List.of(new Refusal("node(s) didn't match pod affinity rules", false));
    } else if (affinity.avoids(node)) {
      return List.of(new Refusal("node(s) didn't match pod anti-affinity rules", true));
    } else if (affinity.isKeptFrom(node)) {
      return List.of(new Refusal("node(s) didn't satisfy existing pods anti-affinity rules", true));
    }
    return List.of();
  }

  private String untolerated(KubeObject node) {
    if (node.at("/spec/unschedulable").asBoolean()
        && !tolerates("node.kubernetes.io/unschedulable", "", "NoSchedule")) {
      return "node(s) were unschedulable";
    }
    String ready = ready(node);
    if (!ready.equals("True")) {
      String taint =
          ready.equals("Unknown")
              ? "node.kubernetes.io/unreachable"
              : "node.kubernetes.io/not-ready";
      if (!tolerates(taint, "", "NoSchedule")) {
        return "node(s) had untolerated taint {" + taint + ": }";
      }
    }
    for (JsonNode taint : node.at("/spec/taints")) {
      String effect = taint.path("effect").asText();
      String key = taint.path("key").asText();
      String value = taint.path("value").asText();
      if (!effect.equals("PreferNoSchedule") && !tolerates(key, value, effect)) {
        return "node(s) had untolerated taint {" + key + ": " + value + "}";
      }
    }
    return "";
  }

  /** One of the terms must hold; one that says nothing never does. */
  private boolean meetsNodeAffinity(KubeObject node) {
    JsonNode terms = pod.at(TERMS);
    if (terms.isMissingNode()) {
      return true;
    }
    for (JsonNode term : terms) {
      JsonNode expressions = term.path("matchExpressions");
      JsonNode fields = term.path("matchFields");
      if (!(expressions.isEmpty() && fields.isEmpty())
          && NodeRequirements.areMet(expressions, node.labels())
          && NodeRequirements.areMet(fields, Map.of("metadata.name", node.name()))) {
        return true;
      }
    }
    return false;
  }

  private List<Refusal> insufficient(KubeObject node) {
    List<Refusal> refusals = new ArrayList<>();
    Resources has = Resources.ofNode(node);
    Collection<KubeObject> pods = placement.pods(node.name());
    long maxPods = has.amounts().getOrDefault("pods", 110L);
    if (pods.size() + 1 > maxPods) {
      refusals.add(new Refusal("Too many pods", true));
    }
    if (request.amounts().values().stream().allMatch(n -> n == 0)) {
      return refusals;
    }
    Resources needed = request;
    for (KubeObject other : pods) {
      needed = needed.plus(Resources.ofPod(other));
    }
    for (Map.Entry<String, Long> asked : request.amounts().entrySet()) {
      String resource = asked.getKey();
      if (asked.getValue() > 0 && needed.of(resource) > has.of(resource)) {
        refusals.add(new Refusal("Insufficient " + resource, true));
      }
    }
    return refusals;
  }

  /** The status of the node's Ready condition; Unknown if it has none. */
  static String ready(KubeObject node) {
    for (JsonNode condition : node.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText();
      }
    }
    return "Unknown";
  }

  private boolean tolerates(String key, String value, String effect) {
    for (JsonNode toleration : pod.at("/spec/tolerations")) {
      String tolerated = toleration.path("key").asText();
      boolean exists = toleration.path("operator").asText("Equal").equals("Exists");
      boolean keyMatches = tolerated.isEmpty() ? exists : tolerated.equals(key);
      boolean valueMatches = exists || toleration.path("value").asText().equals(value);
      String forEffect = toleration.path("effect").asText();
      if (keyMatches && valueMatches && (forEffect.isEmpty() || forEffect.equals(effect))) {
        return true;
      }
    }
    return false;
  }
}
