package dev.paramecium.agent;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.CiliumAgent.AgentStatus;
import dev.paramecium.agent.cli.AgentView;
import dev.paramecium.agent.desired.Claims;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointState;
import dev.paramecium.agent.reconciler.MapReconciler;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What an agent says of itself: the pictures that its commands and its node's kubelet ask for. */
final class AgentReport {

  private AgentReport() {}

  static List<EndpointModel> models(LocalEndpoints endpoints) {
    List<EndpointModel> models = new ArrayList<>();
    endpoints.all().forEach(local -> models.add(local.model));
    return List.copyOf(models);
  }

  /** Identity numbers to labels. */
  static Map<Integer, List<String>> identities(ClusterCache cache) {
    Map<Integer, List<String>> labels = new TreeMap<>();
    cache.identities().byNumber().forEach((number, set) -> labels.put(number, set.lines()));
    return labels;
  }

  static List<AgentView.Node> nodes(ClusterCache cache, String clusterName) {
    List<AgentView.Node> nodes = new ArrayList<>();
    for (KubeObject node : cache.ciliumNodes().values()) {
      Ipv4Address nodeIp = Claims.address(node, "InternalIP");
      List<Ipv4Prefix> podCidrs = Claims.podCidrs(node);
      nodes.add(
          new AgentView.Node(
              clusterName + "/" + node.name(),
              nodeIp == null ? "" : nodeIp.toString(),
              podCidrs.isEmpty() ? "" : podCidrs.getFirst().toString()));
    }
    return nodes;
  }

  /**
   * The agent in numbers.
   *
   * @param applied what the maps reflect
   * @param places null while the operator has given no pod CIDR
   */
  static AgentStatus status(
      boolean ready,
      MapReconciler.Progress progress,
      AppliedObjects.Picture applied,
      ClusterCache cache,
      LocalEndpoints endpoints,
      @Nullable Places places) {
    Map<String, Long> counters = new HashMap<>();
    progress.entries().forEach((map, n) -> counters.put("entries." + map, (long) n));
    progress.errors().forEach((map, n) -> counters.put("errors." + map, (long) n));
    applied.newest().forEach((kind, version) -> counters.put("enforced." + kind, version));
    applied.digests().forEach((kind, digest) -> counters.put("applied." + kind, digest));
    counters.put("identities", (long) cache.identities().byNumber().size());
    counters.put("nodes", (long) cache.ciliumNodes().size());
    counters.put("addresses.available", places == null ? 0L : places.pool().available());
    counters.put(
        "endpoints.ready",
        endpoints.all().stream()
            .filter(local -> local.model.state() == EndpointState.READY)
            .count());
    return new AgentStatus(
        ready,
        progress.appliedRevision(),
        progress.pending(),
        endpoints.all().size(),
        Map.copyOf(counters));
  }
}
