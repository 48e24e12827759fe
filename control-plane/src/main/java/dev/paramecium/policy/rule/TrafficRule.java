package dev.paramecium.policy.rule;

import java.util.List;

/**
 * One entry of {@code ingress}, {@code ingressDeny}, {@code egress} or {@code egressDeny}: peers,
 * and what they may or may not reach.
 *
 * @param icmps one list of fields for each entry of {@code icmps}
 * @param entry the place of the entry that it came from in the object's list, where several came
 *     from one; {@link #ITS_OWN} if each has its own
 */
public record TrafficRule(
    Peers peers, List<PortRule> toPorts, List<List<IcmpField>> icmps, int entry) {

  /** The rule's place is the entry's. */
  public static final int ITS_OWN = -1;

  public TrafficRule {
    toPorts = List.copyOf(toPorts);
    icmps = icmps.stream().map(List::copyOf).toList();
  }

  public TrafficRule(Peers peers, List<PortRule> toPorts, List<List<IcmpField>> icmps) {
    this(peers, toPorts, icmps, ITS_OWN);
  }

  public TrafficRule withPeers(Peers others) {
    return new TrafficRule(others, toPorts, icmps, entry);
  }
}
