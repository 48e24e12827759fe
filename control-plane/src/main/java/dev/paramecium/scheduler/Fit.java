package dev.paramecium.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.util.Map;

/**
 * Whether a pod may run on a node: kube-scheduler's filters NodeUnschedulable, NodeReady (the
 * not-ready and unreachable taints), TaintToleration, NodeAffinity's nodeSelector and the number of
 * pods. The texts are the real ones, as {@code kubectl describe} counts them up.
 */
final class Fit {

  private Fit() {}

  /**
   * Why {@code pod} may not run on {@code node}, empty if it may.
   *
   * @param podsOnNode how many pods the node has
   */
  static String refusal(KubeObject pod, KubeObject node, int podsOnNode) {
    if (node.at("/spec/unschedulable").asBoolean()
        && !tolerates(pod, "node.kubernetes.io/unschedulable", "", "NoSchedule")) {
      return "node(s) were unschedulable";
    }
    String ready = ready(node);
    if (!ready.equals("True")) {
      String taint =
          ready.equals("Unknown")
              ? "node.kubernetes.io/unreachable"
              : "node.kubernetes.io/not-ready";
      if (!tolerates(pod, taint, "", "NoSchedule")) {
        return "node(s) had untolerated taint {" + taint + ": }";
      }
    }
    for (JsonNode taint : node.at("/spec/taints")) {
      String effect = taint.path("effect").asText();
      String key = taint.path("key").asText();
      String value = taint.path("value").asText();
      if (!effect.equals("PreferNoSchedule") && !tolerates(pod, key, value, effect)) {
        return "node(s) had untolerated taint {" + key + ": " + value + "}";
      }
    }
    Map<String, String> labels = node.labels();
    for (Map.Entry<String, JsonNode> wanted : pod.at("/spec/nodeSelector").properties()) {
      if (!wanted.getValue().asText().equals(labels.get(wanted.getKey()))) {
        return "node(s) didn't match Pod's node affinity/selector";
      }
    }
    int maxPods = node.at("/status/allocatable/pods").asInt(110);
    return podsOnNode >= maxPods ? "Too many pods" : "";
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

  private static boolean tolerates(KubeObject pod, String key, String value, String effect) {
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
