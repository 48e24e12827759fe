package dev.paramecium.agent.policy;

import dev.paramecium.abi.PolicyKey;
import dev.paramecium.policy.MapState;
import java.util.Map;
import java.util.Set;

/**
 * What one endpoint's policy map should hold.
 *
 * @param revision of the policy repository that it reflects
 * @param ingressClosed whether what no entry allows is denied
 * @param closedIngressBy the rules that closed it, for a person
 */
public record EndpointMap(
    long revision,
    Map<PolicyKey, MapState.Entry> entries,
    boolean ingressClosed,
    boolean egressClosed,
    Set<String> closedIngressBy,
    Set<String> closedEgressBy) {

  public EndpointMap {
    entries = Map.copyOf(entries);
    closedIngressBy = Set.copyOf(closedIngressBy);
    closedEgressBy = Set.copyOf(closedEgressBy);
  }
}
