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
    boolean named = entry >= 0;
    if (!named) {
      entry = policy.find(0, port, IpProtocol.TCP, true);
      named = entry >= 0;
    }
    if (entry < 0) {
      entry = policy.find(identity, 0, 0, true);
    }
    if (entry < 0) {
      entry = policy.find(0, 0, 0, true);
    }
    if (trace != null) {
      trace.lookup(
          policy.map().name(),
          new PolicyKey(identity, port, IpProtocol.TCP, true).toString(),
          entry < 0 ? "" : policy.isDeny(entry) ? "Deny" : "Allow");
    }
    if (entry < 0) {
      return -DropReason.POLICY;
    }
    policy.account(entry, 0);
    if (policy.isDeny(entry)) {
      return -DropReason.POLICY_DENY;
    }
    return named ? policy.rawProxyPort(entry) : 0;
  }
}
