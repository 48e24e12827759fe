package dev.paramecium.scheduler;

import dev.paramecium.api.KubeObject;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** Nodes, the pods that each has or is about to get, and the labels of namespaces. */
final class Placement {

  private final Map<String, KubeObject> nodes = new TreeMap<>();
  private final Map<String, String> nodeOfPod = new HashMap<>();
  private final Map<String, Map<String, KubeObject>> podsOfNode = new HashMap<>();
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
  }

  void remove(String podKey) {
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

  int load(String node) {
    return pods(node).size();
  }
}
