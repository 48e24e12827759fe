package dev.paramecium.policy.rule;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Peers without labels of their own (Cilium {@code pkg/policy/api/entity.go}). */
public enum Entity {
  ALL("all"),
  WORLD("world"),
  CLUSTER("cluster"),
  HOST("host"),
  INIT("init"),
  INGRESS("ingress"),
  UNMANAGED("unmanaged"),
  REMOTE_NODE("remote-node"),
  HEALTH("health"),
  NONE("none"),
  KUBE_APISERVER("kube-apiserver");

  private static final String CLUSTER_LABEL = "io.cilium.k8s.policy.cluster";

  private final String text;

  Entity(String text) {
    this.text = text;
  }

  /** Null if the agent knows no such entity. */
  public static @Nullable Entity of(String text) {
    for (Entity entity : values()) {
      if (entity.text.equals(text)) {
        return entity;
      }
    }
    return null;
  }

  /**
   * What it selects.
   *
   * @param clusterName the cluster's, for {@link #CLUSTER}
   */
  public List<EndpointSelector> selectors(String clusterName) {
    return switch (this) {
      case ALL -> List.of(EndpointSelector.WILDCARD);
      case CLUSTER ->
          List.of(
              HOST.reserved(),
              REMOTE_NODE.reserved(),
              INIT.reserved(),
              INGRESS.reserved(),
              HEALTH.reserved(),
              UNMANAGED.reserved(),
              KUBE_APISERVER.reserved(),
              EndpointSelector.of(Label.k8s(CLUSTER_LABEL, clusterName)));
      case WORLD, HOST, INIT, INGRESS, UNMANAGED, REMOTE_NODE, HEALTH, NONE, KUBE_APISERVER ->
          List.of(reserved());
    };
  }

  /** The selector of the reserved label with the entity's name. */
  public EndpointSelector reserved() {
    return EndpointSelector.of(Label.reserved(text));
  }

  @Override
  public String toString() {
    return text;
  }
}
