package dev.paramecium.datapath.sock;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.lib.Identity;
import dev.paramecium.map.Ipcache;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.map.SocketMaps;
import org.jspecify.annotations.Nullable;

/**
 * May this connection's data go past the devices ({@code policy_sk_egress} of {@code
 * bpf/lib/policy.h})? The four lookups of egress policy, over the policy map of whoever has the
 * source address. What is not allowed takes the way of packets, where policy is decided in full.
 */
final class SocketPolicy {

  private final SocketMaps sockets;
  private final Ipcache ipcache;

  SocketPolicy(SocketMaps sockets, Ipcache ipcache) {
    this.sockets = sockets;
    this.ipcache = ipcache;
  }

  /** What the ipcache has for the peer, else world. */
  int identityOf(Ipv4Address peer, @Nullable SocketTrace trace) {
    LpmTrie.Entry entry = ipcache.lookup(peer.value());
    int identity = entry == null ? 0 : Ipcache.securityIdentity(entry);
    if (trace != null) {
      trace.lookup(
          MapNames.IPCACHE,
          entry == null ? peer.toString() : Ipcache.keyText(entry),
          entry == null ? "" : Ipcache.valueText(entry));
    }
    return identity == 0 ? Identity.WORLD : identity;
  }

  /**
   * @param source key of the endpoint that sends
   * @return negative to deny, 0 to allow, a proxy's port in network order to redirect
   */
  int egress(int identity, EndpointKey source, int port, @Nullable SocketTrace trace) {
    PolicyMap policy = sockets.endpointPolicies().find(source);
    if (policy == null) {
      return 0;
    }
    int entry = policy.find(identity, port, IpProtocol.TCP, true);
    if (entry >= 0) {
      return decide(policy, entry, identity, port, trace);
    }
    entry = policy.find(0, port, IpProtocol.TCP, true);
    if (entry >= 0) {
      return decide(policy, entry, 0, port, trace);
    }
    entry = policy.find(identity, 0, 0, true);
    if (entry >= 0) {
      return decide(policy, entry, identity, 0, trace);
    }
    entry = policy.find(0, 0, 0, true);
    if (entry >= 0) {
      return decide(policy, entry, 0, 0, trace);
    }
    if (trace != null) {
      PolicyKey asked = new PolicyKey(identity, port, IpProtocol.TCP, true);
      trace.lookup(policy.map().name(), asked.toString(), "");
    }
    return -DropReason.POLICY;
  }

  /** Only entries that name a port may redirect to a proxy. */
  private static int decide(
      PolicyMap policy, int entry, int identity, int port, @Nullable SocketTrace trace) {
    boolean deny = policy.isDeny(entry);
    if (trace != null) {
      PolicyKey key = new PolicyKey(identity, port, port == 0 ? 0 : IpProtocol.TCP, true);
      trace.lookup(policy.map().name(), key.toString(), deny ? "Deny" : "Allow");
    }
    policy.account(entry, 0);
    if (deny) {
      return -DropReason.POLICY_DENY;
    }
    return port == 0 ? 0 : policy.rawProxyPort(entry);
  }
}
