package dev.paramecium.api;

/**
 * A kind of object and where REST serves it.
 *
 * @param group the API group, empty for core
 * @param plural the name in paths, as {@code pods}
 */
public record ResourceType(
    String group, String version, String plural, String kind, boolean namespaced) {

  public static final ResourceType NAMESPACE =
      new ResourceType("", "v1", "namespaces", "Namespace", false);
  public static final ResourceType NODE = new ResourceType("", "v1", "nodes", "Node", false);
  public static final ResourceType POD = new ResourceType("", "v1", "pods", "Pod", true);
  public static final ResourceType CILIUM_IDENTITY =
      new ResourceType("cilium.io", "v2", "ciliumidentities", "CiliumIdentity", false);
  public static final ResourceType CILIUM_ENDPOINT =
      new ResourceType("cilium.io", "v2", "ciliumendpoints", "CiliumEndpoint", true);
  public static final ResourceType CILIUM_NODE =
      new ResourceType("cilium.io", "v2", "ciliumnodes", "CiliumNode", false);

  /** {@code v1} or {@code cilium.io/v2}. */
  public String apiVersion() {
    return group.isEmpty() ? version : group + "/" + version;
  }
}
