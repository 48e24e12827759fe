package dev.paramecium.scheduler;

import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Nodes, the pods that each has or is about to get, and the labels of namespaces. */
final class Placement {

  private final Map<String, KubeObject> nodes = new TreeMap<>();
  private final Map<String, String> nodeOfPod = new HashMap<>();
  private final Map<String, Map<String, KubeObject>> podsOfNode = new HashMap<>();

  /** Of the placed pods those that keep others away: few, and asked about for every pod. */
  private final Map<String, KubeObject> exclusive = new TreeMap<>();

  private final Map<String, Map<String, String>> namespaces = new HashMap<>();

  static String key(KubeObject pod) {
    return pod.namespace() + "/" + pod.name();
  }

  void putNode(KubeObject node) {
    nodes.put(node.name(), node);
  }

  void removeNode(String node) {
    nodes.remove(node);
  }

  Collection<KubeObject> nodes() {
    return nodes.values();
  }

  /** The least loaded first, and of those with the same load the first by name. */
  List<KubeObject> nodesByLoad() {
    List<KubeObject> sorted = new ArrayList<>(nodes.values());
    sorted.sort(Comparator.comparingInt(node -> load(node.name())));
    return sorted;
  }

  void putNamespace(KubeObject namespace) {
    namespaces.put(namespace.name(), namespace.labels());
  }

  void removeNamespace(String namespace) {
    namespaces.remove(namespace);
  }

  Map<String, String> labelsOfNamespace(String namespace) {
    return namespaces.getOrDefault(namespace, Map.of());
  }

  /** The pod is on the node, and on no other. */
  void place(KubeObject pod, String node) {
    remove(key(pod));
    nodeOfPod.put(key(pod), node);
    podsOfNode.computeIfAbsent(node, _ -> new HashMap<>()).put(key(pod), pod);
    if (!PodAffinity.antiAffinity(pod).isEmpty()) {
      exclusive.put(key(pod), pod);
    }
  }

  void remove(String podKey) {
    exclusive.remove(podKey);
    String before = nodeOfPod.remove(podKey);
    if (before != null) {
      Map<String, KubeObject> pods = podsOfNode.getOrDefault(before, new HashMap<>());
      pods.remove(podKey);
      if (pods.isEmpty()) {
        podsOfNode.remove(before);
      }
    }
  }

  Collection<KubeObject> pods(String node) {
    return podsOfNode.getOrDefault(node, Map.of()).values();
  }

  /** The placed pods that have anti-affinity. */
  Collection<KubeObject> exclusive() {
    return exclusive.values();
  }

  /** Where a placed pod is; null if the node is gone or the pod is not placed. */
  @Nullable KubeObject nodeOf(KubeObject pod) {
    String node = nodeOfPod.get(key(pod));
    return node == null ? null : nodes.get(node);
  }

  int load(String node) {
    return pods(node).size();
  }
}
