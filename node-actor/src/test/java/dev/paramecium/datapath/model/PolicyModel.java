package dev.paramecium.datapath.model;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.lib.NodeConfig;
import java.util.List;
import java.util.Map;

/** {@code lib/policy.h}. */
final class PolicyModel {

  private static final int HOST = 1;

  /**
   * @param verdict a negative drop reason, 0 to allow, a proxy's port as it stands in memory
   * @param match POLICY_MATCH_…: 0 none, 1 L3, 2 L3 and L4, 3 L4, 4 all
   */
  record Decision(int verdict, int match, boolean audited) {
    static final Decision NOT_ASKED = new Decision(0, 0, false);

    boolean denies() {
      return verdict < 0;
    }

    boolean redirects() {
      return verdict > 0;
    }
  }

  private record Try(PolicyKey key, int match) {}

  private final MapState maps;
  private final NodeConfig config;

  PolicyModel(MapState maps, NodeConfig config) {
    this.maps = maps;
    this.config = config;
  }

  /** {@code policy_can_egress4}: who builds tunnel packets could claim any identity. */
  Decision egress(Frame frame, int endpoint, int own, int peer, int port) {
    boolean encapsulation =
        config.tunnel() && frame.protocol() == IpProtocol.UDP && port == config.tunnelPort();
    if (own != HOST && encapsulation) {
      return new Decision(-DropReason.ENCAP_PROHIBITED, 0, false);
    }
    return audited(decide(frame, endpoint, peer, port, true));
  }

  /** {@code policy_can_access_ingress}. */
  Decision ingress(Frame frame, int endpoint, int peer, int port) {
    return audited(decide(frame, endpoint, peer, port, false));
  }

  private Decision audited(Decision decision) {
    return decision.denies() && config.policyAudit()
        ? new Decision(0, decision.match(), true)
        : decision;
  }

  /** {@code __policy_can_access}. */
  private Decision decide(Frame frame, int endpoint, int peer, int l4Port, boolean egress) {
    int port = l4Port;
    int protocol = frame.protocol();
    if (protocol == IpProtocol.ICMP) {
      if (!frame.has(frame.l4(), 8)) {
        return new Decision(-DropReason.INVALID, 0, false);
      }
      port = frame.u8(frame.l4());
      if (port == 3 && frame.u8(frame.l4() + 1) == 4) {
        return new Decision(0, 0, false);
      }
    }
    Map<PolicyKey, PolicyEntry> rules = maps.policies.getOrDefault(endpoint, Map.of());
    List<Try> tries =
        List.of(
            new Try(new PolicyKey(peer, port, protocol, egress), 2),
            new Try(new PolicyKey(0, port, protocol, egress), 3),
            new Try(new PolicyKey(peer, 0, 0, egress), 1),
            new Try(new PolicyKey(0, 0, 0, egress), 4));
    for (Try each : tries) {
      PolicyEntry rule = rules.get(each.key());
      if (rule != null) {
        rules.put(
            each.key(),
            new PolicyEntry(
                rule.proxyPort(), rule.deny(), rule.packets() + 1, rule.bytes() + frame.length()));
        boolean namesPort = each.match() == 2 || each.match() == 3;
        int verdict =
            rule.deny()
                ? -DropReason.POLICY_DENY
                : namesPort ? Short.reverseBytes((short) rule.proxyPort()) & 0xffff : 0;
        return new Decision(verdict, each.match(), false);
      }
    }
    return new Decision(-DropReason.POLICY, 0, false);
  }
}
