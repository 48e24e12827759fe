package dev.paramecium.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.LabelSelector;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The required terms of pod affinity and anti-affinity for one pod that wants a node ({@code
 * plugins/interpodaffinity}). Terms are about topologies: pairs of a node label's key and value.
 */
final class PodAffinity {

  private static final String REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";

  private record Topology(String key, String value) {}

  private final List<JsonNode> affinity;
  private final List<JsonNode> antiAffinity;
  private final Set<Topology> wanted = new HashSet<>();
  private final Set<Topology> avoided = new HashSet<>();
  private final Set<Topology> forbidden = new HashSet<>();
  private final boolean matchesItself;

  PodAffinity(KubeObject pod, Placement placement) {
    this.affinity = terms(pod, "podAffinity");
    this.antiAffinity = antiAffinity(pod);
    this.matchesItself = affinity.stream().allMatch(term -> matches(term, pod, pod, placement));
    if (!affinity.isEmpty() || !antiAffinity.isEmpty()) {
      for (KubeObject node : placement.nodes()) {
        placement.pods(node.name()).forEach(other -> look(pod, other, node, placement));
      }
    }
    for (KubeObject other : placement.exclusive()) {
      KubeObject node = placement.nodeOf(other);
      for (JsonNode term : antiAffinity(other)) {
        if (node != null && matches(term, other, pod, placement)) {
          add(forbidden, term, node);
        }
      }
    }
  }

  private void look(KubeObject pod, KubeObject other, KubeObject node, Placement placement) {
    if (!affinity.isEmpty()
        && affinity.stream().allMatch(term -> matches(term, pod, other, placement))) {
      affinity.forEach(term -> add(wanted, term, node));
    }
    for (JsonNode term : antiAffinity) {
      if (matches(term, pod, other, placement)) {
        add(avoided, term, node);
      }
    }
  }

  /** The required terms of a pod's anti-affinity. */
  static List<JsonNode> antiAffinity(KubeObject pod) {
    return terms(pod, "podAntiAffinity");
  }

  private static List<JsonNode> terms(KubeObject pod, String kind) {
    JsonNode affinity = pod.at("/spec/affinity");
    if (!affinity.isObject()) {
      return List.of();
    }
    List<JsonNode> terms = new ArrayList<>();
    affinity.path(kind).path(REQUIRED).forEach(terms::add);
    return terms;
  }

  /** Whether {@code other} is one of the pods that a term of {@code owner} is about. */
  private static boolean matches(
      JsonNode term, KubeObject owner, KubeObject other, Placement placement) {
    return isInScope(term, owner, other.namespace(), placement)
        && LabelSelector.matches(term.path("labelSelector"), other.labels());
  }

  private static boolean isInScope(
      JsonNode term, KubeObject owner, String namespace, Placement placement) {
    JsonNode names = term.path("namespaces");
    JsonNode selector = term.path("namespaceSelector");
    if (names.isEmpty() && !selector.isObject()) {
      return namespace.equals(owner.namespace());
    }
    for (JsonNode name : names) {
      if (name.asText().equals(namespace)) {
        return true;
      }
    }
    return LabelSelector.matches(selector, placement.labelsOfNamespace(namespace));
  }

  private static void add(Set<Topology> topologies, JsonNode term, KubeObject node) {
    String key = term.path("topologyKey").asText();
    String value = node.labels().get(key);
    if (value != null) {
      topologies.add(new Topology(key, value));
    }
  }

  private static boolean isIn(Set<Topology> topologies, JsonNode term, KubeObject node) {
    String key = term.path("topologyKey").asText();
    String value = node.labels().get(key);
    return value != null && topologies.contains(new Topology(key, value));
  }

  /** Whether each affinity term has its pod near; the first of a group needs none but itself. */
  boolean findsItsPodsNear(KubeObject node) {
    boolean first = wanted.isEmpty() && matchesItself;
    return affinity.stream()
        .allMatch(
            term ->
                first
                    ? node.labels().containsKey(term.path("topologyKey").asText())
                    : isIn(wanted, term, node));
  }

  /** Whether the pod's own anti-affinity keeps it away. */
  boolean avoids(KubeObject node) {
    return antiAffinity.stream().anyMatch(term -> isIn(avoided, term, node));
  }

  /** Whether the anti-affinity of a pod that is there keeps this one away. */
  boolean isKeptFrom(KubeObject node) {
    for (Map.Entry<String, String> label : node.labels().entrySet()) {
      if (forbidden.contains(new Topology(label.getKey(), label.getValue()))) {
        return true;
      }
    }
    return false;
  }
}
