package dev.paramecium.agent.policy;

import dev.paramecium.abi.PolicyKey;
import dev.paramecium.policy.MapState;
import dev.paramecium.policy.RuleOrigin;
import java.util.List;
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

  /**
   * What the map says of one packet.
   *
   * @param verdict {@code allow}, {@code deny} or {@code redirect}
   * @param by the rules, sorted
   * @param byDefault whether no entry says anything, and the direction is closed
   */
  public record Decision(String verdict, boolean egress, List<String> by, boolean byDefault) {

    /** Whether the packet goes on: to the peer, or to the proxy, which decides by request. */
    public boolean passes() {
      return !verdict.equals("deny");
    }

    /** {@code deny ingress by default deny of NetworkPolicy default/web spec}. */
    @Override
    public String toString() {
      return verdict
          + (egress ? " egress by " : " ingress by ")
          + (byDefault ? "default deny of " : "")
          + (by.isEmpty() ? "the enforcement mode" : String.join(", ", by));
    }
  }

  /**
   * The first entry that the datapath finds, asking in its order ({@code bpf/lib/policy.h}).
   *
   * @param identity the peer's
   * @param port of ICMP the type; 0 with protocol 0 for a port that no entry names
   */
  public Decision decide(boolean egress, int identity, int port, int protocol) {
    for (PolicyKey key :
        List.of(
            new PolicyKey(identity, port, protocol, egress),
            new PolicyKey(0, port, protocol, egress),
            new PolicyKey(identity, 0, 0, egress),
            new PolicyKey(0, 0, 0, egress))) {
      MapState.Entry entry = entries.get(key);
      if (entry != null) {
        return new Decision(
            verdict(entry),
            egress,
            entry.origins().stream().map(RuleOrigin::toString).sorted().toList(),
            false);
      }
    }
    Set<String> closedBy = egress ? closedEgressBy : closedIngressBy;
    return new Decision("deny", egress, closedBy.stream().sorted().toList(), true);
  }

  /** {@code allow}, {@code deny}, or {@code redirect} to the proxy. */
  public static String verdict(MapState.Entry entry) {
    return entry.deny() ? "deny" : entry.proxyPort() == 0 ? "allow" : "redirect";
  }
}
