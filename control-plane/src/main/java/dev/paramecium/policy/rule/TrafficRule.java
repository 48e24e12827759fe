package dev.paramecium.policy.rule;

import java.util.List;

/**
 * One entry of {@code ingress}, {@code ingressDeny}, {@code egress} or {@code egressDeny}: peers,
 * and what they may or may not reach.
 *
 * @param icmps one list of fields for each entry of {@code icmps}
 */
public record TrafficRule(Peers peers, List<PortRule> toPorts, List<List<IcmpField>> icmps) {

  public TrafficRule {
    toPorts = List.copyOf(toPorts);
    icmps = icmps.stream().map(List::copyOf).toList();
  }

  public TrafficRule withPeers(Peers others) {
    return new TrafficRule(others, toPorts, icmps);
  }
}
