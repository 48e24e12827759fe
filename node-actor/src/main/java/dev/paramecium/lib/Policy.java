package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.defect.Defect;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.packet.Icmp;

/**
 * One endpoint's policy ({@code bpf/lib/policy.h}): four lookups, and the first that hits decides,
 * whether it allows or denies.
 *
 * <pre>
 *   1. peer, port, protocol   L3-L4      2. any peer, port, protocol   L4-only
 *   3. peer                   L3-only    4. anybody                    all
 *   none: denied
 * </pre>
 */
public final class Policy {

  // POLICY_MATCH_…
  public static final int MATCH_NONE = 0;
  public static final int MATCH_L3_ONLY = 1;
  public static final int MATCH_L3_L4 = 2;
  public static final int MATCH_L4_ONLY = 3;
  public static final int MATCH_ALL = 4;

  private static final String[] MATCH_TEXT = {"none", "L3-Only", "L3-L4", "L4-Only", "all"};

  /** No port. */
  private static final int NOWHERE = -1;

  private final PolicyMap policy;
  private final int securityIdentity;
  private final int tunnelPort;
  private final boolean audit;
  private final TraceRecorder recorder;

  public Policy(ProgramContext context, PolicyMap policy, int securityIdentity) {
    this.policy = policy;
    this.securityIdentity = securityIdentity;
    // Without a tunnel there is no ENCAP_IFINDEX, and whoever listens there is anybody's server.
    this.tunnelPort = context.config().tunnel() ? context.config().tunnelPort() : NOWHERE;
    this.audit = context.config().policyAudit();
    this.recorder = context.recorder();
  }

  /**
   * {@code policy_can_egress4}: may the endpoint send this? {@link PerCpu#policyMatch} and {@link
   * PerCpu#audited} say more.
   *
   * @param destination the peer's identity
   * @return negative to drop, 0 to allow, a proxy's port in network order to redirect
   */
  public int canEgress4(SkBuff packet, Ipv4CtTuple tuple, int destination, PerCpu cpu) {
    cpu.policyMatch = MATCH_NONE;
    cpu.audited = false;
    // A pod that builds its own VXLAN packets could claim any identity.
    if (securityIdentity != Identity.HOST
        && tuple.nexthdr == IpProtocol.UDP
        && tuple.dport == tunnelPort) {
      return -DropReason.ENCAP_PROHIBITED;
    }
    return audited(canAccess(packet, destination, tuple.dport, tuple.nexthdr, true, cpu), cpu);
  }

  /** {@code policy_can_access_ingress}: may the endpoint receive this? As {@link #canEgress4}. */
  public int canIngress(SkBuff packet, int source, Ipv4CtTuple tuple, PerCpu cpu) {
    cpu.policyMatch = MATCH_NONE;
    cpu.audited = false;
    return audited(canAccess(packet, source, tuple.dport, tuple.nexthdr, false, cpu), cpu);
  }

  private int audited(int verdict, PerCpu cpu) {
    if (verdict < 0 && audit) {
      cpu.audited = true;
      return 0;
    }
    return verdict < 0 && Defect.PASS_DENIED.strikes() ? 0 : verdict;
  }

  /** {@code __policy_can_access}. */
  private int canAccess(
      SkBuff packet, int peer, int port, int protocol, boolean egress, PerCpu cpu) {
    int keyPort = port;
    if (protocol == IpProtocol.ICMP) {
      int l4Offset = Ipv4Header.l4Offset(packet);
      if (!Ipv4Header.has(packet, l4Offset, Icmp.HEADER_LENGTH)) {
        return -DropReason.INVALID;
      }
      int type = packet.u8(l4Offset + Icmp.TYPE);
      if (type == Icmp.DESTINATION_UNREACHABLE
          && packet.u8(l4Offset + Icmp.CODE) == Icmp.FRAGMENTATION_NEEDED) {
        // Path MTU discovery works whatever the policy says.
        return 0;
      }
      keyPort = type;
    }
    int entry = policy.find(peer, keyPort, protocol, egress);
    if (entry >= 0) {
      return decide(packet, entry, MATCH_L3_L4, peer, keyPort, protocol, egress, cpu);
    }
    entry = policy.find(0, keyPort, protocol, egress);
    if (entry >= 0) {
      return decide(packet, entry, MATCH_L4_ONLY, 0, keyPort, protocol, egress, cpu);
    }
    entry = policy.find(peer, 0, 0, egress);
    if (entry >= 0) {
      return decide(packet, entry, MATCH_L3_ONLY, peer, 0, 0, egress, cpu);
    }
    entry = policy.find(0, 0, 0, egress);
    if (entry >= 0) {
      return decide(packet, entry, MATCH_ALL, 0, 0, 0, egress, cpu);
    }
    if (packet.traced) {
      recordMiss(packet, peer, keyPort, protocol, egress);
    }
    // CB_POLICY: the packet answers one that was allowed.
    return packet.cb2 != 0 ? 0 : -DropReason.POLICY;
  }

  /** Only entries that name a port may redirect to a proxy. */
  private int decide(
      SkBuff packet,
      int entry,
      int match,
      int peer,
      int port,
      int protocol,
      boolean egress,
      PerCpu cpu) {
    policy.account(entry, packet.length);
    cpu.policyMatch = match;
    if (packet.traced) {
      recordHit(packet, entry, match, new PolicyKey(peer, port, protocol, egress));
    }
    if (policy.isDeny(entry)) {
      return -DropReason.POLICY_DENY;
    }
    return match == MATCH_L3_L4 || match == MATCH_L4_ONLY ? policy.rawProxyPort(entry) : 0;
  }

  private void recordHit(SkBuff packet, int entry, int match, PolicyKey key) {
    int proxyPort = Short.reverseBytes((short) policy.rawProxyPort(entry)) & 0xffff;
    boolean deny = policy.isDeny(entry);
    recorder.lookup(
        packet,
        policy.map().name(),
        key.toString(),
        new PolicyEntry(
                proxyPort,
                deny,
                policy.map().i64(entry, PolicyEntry.PACKETS),
                policy.map().i64(entry, PolicyEntry.BYTES))
            .toString());
    recorder.decision(
        packet,
        "policy: "
            + (deny ? "Deny " : "Allow ")
            + key
            + ", match "
            + MATCH_TEXT[match]
            + (proxyPort == 0 ? "" : ", proxy port " + proxyPort));
  }

  private void recordMiss(SkBuff packet, int peer, int port, int protocol, boolean egress) {
    PolicyKey key = new PolicyKey(peer, port, protocol, egress);
    recorder.lookup(packet, policy.map().name(), key.toString(), "");
    recorder.decision(packet, "policy: no entry for " + key);
  }
}
