package dev.paramecium.agent;

import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.policy.NodePolicy;
import java.util.Map;
import java.util.TreeMap;

/**
 * How far this node's policy maps follow the API server: by kind of policy, the newest
 * resourceVersion that every endpoint's map reflects. One that the agent refuses changes no map, so
 * it is reflected, too.
 */
final class EnforcedPolicies {

  private final Map<String, Long> heard = new TreeMap<>();
  private Map<String, Long> enforced = Map.of();

  /** A policy of {@code kind} came, changed or went. */
  void heard(String kind, long resourceVersion) {
    heard.merge(kind, resourceVersion, Math::max);
  }

  /**
   * Looks again.
   *
   * @param settled whether nothing waits to be worked out or to be written
   * @return by kind; what was true before stays true
   */
  Map<String, Long> look(boolean settled, LocalEndpoints endpoints, NodePolicy policy) {
    boolean all =
        settled
            && endpoints.all().stream()
                .allMatch(
                    local ->
                        reflects(local.model, policy.drainedRevision(local.model.spec().id())));
    if (all) {
      enforced = Map.copyOf(heard);
    }
    return enforced;
  }

  /** An endpoint for which no map could be worked out has none to wait for. */
  private static boolean reflects(EndpointModel endpoint, long revision) {
    return revision == 0 || endpoint.policyRevision() == revision;
  }
}
