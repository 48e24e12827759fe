package dev.paramecium.agent;

import dev.paramecium.agent.endpoint.Endpoint;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.agent.policy.PodPorts;
import dev.paramecium.api.KubeObject;
import dev.paramecium.identity.SecurityLabels;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.rule.LabelSet;
import java.time.Duration;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Gives this node's pods the identities of their labels, once the operator has made them. A change
 * of an identity waits a little, so that other nodes know the new one before packets carry it
 * ({@code pkg/endpoint/endpoint.go}, identityLabelsChanged).
 */
final class PodIdentities {

  /** After a pod's labels changed, how long its old identity stays ({@code pkg/defaults}). */
  static final Duration CHANGE_GRACE = Duration.ofSeconds(5);

  /** Starts the grace of an endpoint, unless it has begun. */
  @FunctionalInterface
  interface GraceTimer {
    void start(int endpointId, Duration grace);
  }

  private final String clusterName;
  private final ClusterCache cache;
  private final NodePolicy policy;
  private final GraceTimer timer;

  PodIdentities(String clusterName, ClusterCache cache, NodePolicy policy, GraceTimer timer) {
    this.clusterName = clusterName;
    this.cache = cache;
    this.policy = policy;
    this.timer = timer;
  }

  /**
   * @return whether an endpoint was told, so that the policy maps want working out
   */
  boolean identifyNamespace(Collection<LocalEndpoint> endpoints, String namespace) {
    boolean told = false;
    for (LocalEndpoint local : endpoints) {
      PodRef pod = local.spec.pod();
      if (pod != null && pod.namespace().equals(namespace)) {
        told |= identify(local, false);
      }
    }
    return told;
  }

  /**
   * @param labelsKey the label set whose number may have changed, null if none
   * @return whether an endpoint was told
   */
  boolean identifyLabels(Collection<LocalEndpoint> endpoints, @Nullable String labelsKey) {
    boolean told = false;
    for (LocalEndpoint local : endpoints) {
      if (local.labelsKey.equals(labelsKey)) {
        told |= identify(local, false);
      }
    }
    return told;
  }

  /**
   * @param local null if the pod has no endpoint here yet
   * @param graceOver whether a change takes effect now
   * @return whether the endpoint was told
   */
  boolean identify(@Nullable LocalEndpoint local, boolean graceOver) {
    PodRef ref = local == null ? null : local.spec.pod();
    KubeObject pod = ref == null ? null : cache.pods().get(ref.toString());
    KubeObject namespace = ref == null ? null : cache.namespaces().get(ref.namespace());
    if (local == null
        || ref == null
        || pod == null
        || namespace == null
        || !pod.uid().equals(ref.uid())) {
      return false;
    }
    SecurityLabels labels = SecurityLabels.of(pod, namespace.labels(), clusterName);
    local.labelsKey = labels.key();
    int number = cache.identities().lookup(labels);
    if (number == 0) {
      return false;
    }
    boolean changes = local.identity != 0 && local.identity != number;
    if (changes && !graceOver) {
      timer.start(local.spec.id(), CHANGE_GRACE);
      return false;
    }
    local.identity = number;
    NamedPorts ports = PodPorts.ofPod(pod);
    local.actor.tell(new Endpoint.Identify(number, labels.lines(), pod.labels(), ports));
    policy.upsertEndpoint(local.spec.id(), number, LabelSet.parse(labels.lines()), ports);
    return true;
  }
}
