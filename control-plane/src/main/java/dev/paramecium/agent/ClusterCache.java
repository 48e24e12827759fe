package dev.paramecium.agent;

import dev.paramecium.agent.endpoint.CiliumEndpoints;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an agent knows of the cluster: the objects that it asks for again and again, as the API
 * server last told them. Of the pods it holds those of its own node.
 */
final class ClusterCache {

  /** Every kind of which the agent must have seen all objects before it trusts its picture. */
  static final List<ResourceType> WATCHED =
      List.of(
          ResourceType.NAMESPACE,
          ResourceType.POD,
          ResourceType.CILIUM_NODE,
          ResourceType.CILIUM_IDENTITY,
          ResourceType.CILIUM_ENDPOINT,
          ResourceType.SERVICE,
          ResourceType.ENDPOINT_SLICE,
          ResourceType.NETWORK_POLICY,
          ResourceType.CILIUM_NETWORK_POLICY,
          ResourceType.CILIUM_CLUSTERWIDE_NETWORK_POLICY,
          ResourceType.CILIUM_LOCAL_REDIRECT_POLICY);

  private final Set<ResourceType> synced = new HashSet<>();
  private final Map<String, KubeObject> namespaces = new HashMap<>();
  private final Map<String, KubeObject> pods = new HashMap<>();
  private final Map<String, KubeObject> ciliumNodes = new TreeMap<>();
  private final Map<String, KubeObject> ciliumEndpoints = new HashMap<>();
  private final IdentityCache identities = new IdentityCache();

  /** Namespace and name, as in {@code default/httpbin}. */
  static String key(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  void synced(ResourceType type) {
    synced.add(type);
  }

  boolean isSynced() {
    return synced.containsAll(WATCHED);
  }

  Map<String, KubeObject> namespaces() {
    return namespaces;
  }

  /** This node's pods, by {@link #key}. */
  Map<String, KubeObject> pods() {
    return pods;
  }

  /** All nodes, this one too, by name. */
  Map<String, KubeObject> ciliumNodes() {
    return ciliumNodes;
  }

  /** The endpoints of the whole cluster, by {@link #key}. */
  Map<String, KubeObject> ciliumEndpoints() {
    return ciliumEndpoints;
  }

  /** The identity of a pod of the cluster, by {@link #key}; 0 if it has none. */
  int podIdentity(String key) {
    KubeObject endpoint = ciliumEndpoints.get(key);
    return endpoint == null ? 0 : endpoint.at("/status/identity/id").asInt();
  }

  IdentityCache identities() {
    return identities;
  }

  /** Whether the pod that a CiliumEndpoint speaks of is still the one of that name here. */
  boolean hasPodOf(String key, KubeObject ciliumEndpoint) {
    @Nullable KubeObject pod = pods.get(key);
    return pod != null && pod.uid().equals(CiliumEndpoints.podUid(ciliumEndpoint));
  }
}
