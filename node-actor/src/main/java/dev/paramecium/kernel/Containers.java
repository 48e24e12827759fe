package dev.paramecium.kernel;

import dev.paramecium.datapath.NamespacePort;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which namespaces there are, and in which one each container runs. The kernel's actor only. */
final class Containers {

  private final NamespacePort host;
  private final Map<String, NamespacePort> namespaces = new LinkedHashMap<>();
  private final Map<String, String> namespaceOf = new LinkedHashMap<>();

  Containers(NamespacePort host) {
    this.host = host;
  }

  NamespacePort host() {
    return host;
  }

  void add(String netns, NamespacePort port) {
    namespaces.put(netns, port);
  }

  /** A pod's namespace, or null; the node's own by the empty name. */
  @Nullable NamespacePort namespace(String netns) {
    return netns.isEmpty() ? host : namespaces.get(netns);
  }

  /** Forgets a namespace and the containers in it. */
  void remove(String netns) {
    namespaces.remove(netns);
    namespaceOf.values().removeIf(netns::equals);
  }

  List<String> names() {
    return List.copyOf(namespaces.keySet());
  }

  /** All namespaces, the node's own first. */
  List<NamespacePort> all() {
    List<NamespacePort> all = new ArrayList<>();
    all.add(host);
    all.addAll(namespaces.values());
    return all;
  }

  /** The namespace that a container is in; the node's own for the empty id; null if unknown. */
  @Nullable NamespacePort of(String containerId) {
    if (containerId.isEmpty()) {
      return host;
    }
    String netns = namespaceOf.get(containerId);
    return netns == null ? null : namespace(netns);
  }

  /** Where a container runs, or null. */
  @Nullable String netnsOf(String containerId) {
    return namespaceOf.get(containerId);
  }

  void place(String containerId, String netns) {
    namespaceOf.put(containerId, netns);
  }

  void forget(String containerId) {
    namespaceOf.remove(containerId);
  }
}
