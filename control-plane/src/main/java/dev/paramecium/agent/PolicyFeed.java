package dev.paramecium.agent;

import static dev.paramecium.agent.ClusterCache.key;

import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.agent.policy.PodPorts;
import dev.paramecium.api.KubeObject;
import dev.paramecium.identity.CiliumIdentities;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.rule.CiliumPolicy;
import dev.paramecium.policy.rule.KubernetesPolicy;
import dev.paramecium.policy.rule.LabelSet;
import java.util.List;
import java.util.Map;

/**
 * Which of the cluster's objects decide what this node's policy maps hold: policies, identities,
 * the ports that pods name, the services that rules name. Used by the agent's actor alone.
 */
final class PolicyFeed {

  private final NodePolicy policy;
  private final ClusterCache cache;
  private final PodIdentities podIdentities;
  private final LocalEndpoints endpoints;
  private final MapClaims claims;
  private final KernelCalls kernel;
  private final AgentLog log;

  PolicyFeed(
      NodePolicy policy,
      ClusterCache cache,
      PodIdentities podIdentities,
      LocalEndpoints endpoints,
      MapClaims claims,
      KernelCalls kernel,
      AgentLog log) {
    this.policy = policy;
    this.cache = cache;
    this.podIdentities = podIdentities;
    this.endpoints = endpoints;
    this.claims = claims;
    this.kernel = kernel;
    this.log = log;
  }

  /** Takes an object in; answers whether the policy maps must be worked out anew. */
  boolean upserted(KubeObject object) {
    return switch (object.kind()) {
      case "CiliumIdentity" -> identity(object);
      case "CiliumEndpoint" ->
          policy.updatePodPorts(key(object), PodPorts.ofCiliumEndpoint(object));
      case "Service", "EndpointSlice" -> {
        policy.upsertService(object);
        yield true;
      }
      case KubernetesPolicy.KIND, CiliumPolicy.NAMESPACED, CiliumPolicy.CLUSTERWIDE -> {
        log.imported(object, policy.upsert(object), policy.revision());
        claims.heard(object);
        yield true;
      }
      default -> false;
    };
  }

  /** Forgets an object; answers whether the policy maps must be worked out anew. */
  boolean removed(KubeObject object) {
    return switch (object.kind()) {
      case "CiliumIdentity" -> {
        int number = CiliumIdentities.number(object);
        policy.updateIdentities(Map.of(), List.of(number));
        name(number, List.of());
        podIdentities.identifyLabels(endpoints.all(), cache.identities().remove(object));
        yield true;
      }
      case "CiliumEndpoint" -> policy.updatePodPorts(key(object), NamedPorts.NONE);
      case "Service", "EndpointSlice" -> {
        policy.removeService(object);
        yield true;
      }
      case KubernetesPolicy.KIND, CiliumPolicy.NAMESPACED, CiliumPolicy.CLUSTERWIDE -> {
        policy.remove(object);
        log.deleted(object, policy.revision());
        claims.heard(object);
        yield true;
      }
      default -> false;
    };
  }

  private boolean identity(KubeObject object) {
    String labels = cache.identities().upsert(object);
    if (labels != null) {
      int number = CiliumIdentities.number(object);
      List<String> lines = CiliumIdentities.labels(object).lines();
      policy.updateIdentities(Map.of(number, LabelSet.parse(lines)), List.of());
      name(number, lines);
    }
    return podIdentities.identifyLabels(endpoints.all(), labels) || labels != null;
  }

  /** Tells the node's tools what a number stands for; they print the number until they know. */
  private void name(int identity, List<String> labels) {
    var _ = kernel.nameIdentities(Map.of(identity, labels));
  }
}
