package dev.paramecium.policy;

import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.policy.MapState.Entry;
import dev.paramecium.policy.rule.PortProtocol;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.ToIntFunction;

/**
 * From a policy by selector to the entries of one endpoint's map (Cilium {@code
 * pkg/policy/resolve.go}).
 */
public final class EndpointPolicy {

  private EndpointPolicy() {}

  /**
   * The entries.
   *
   * @param ports of the endpoint's own pod, for ingress
   * @param allPorts of all pods, for egress
   * @param proxyPort the proxy's port for a filter; 0 while the proxy does not listen yet, and then
   *     the filter's redirects are left out
   * @param host whether the endpoint is the node itself
   */
  public static MapState resolve(
      SelectorPolicy policy,
      NamedPorts ports,
      NamedPorts allPorts,
      ToIntFunction<L4Filter> proxyPort,
      PolicyOptions options,
      boolean host) {
    MapState state = new MapState();
    if (!policy.ingressClosed()) {
      state.insert(key(0, 0, 0, false), allow(RuleOrigin.ALLOW_ANY_INGRESS));
    }
    if (!policy.egressClosed()) {
      state.insert(key(0, 0, 0, true), allow(RuleOrigin.ALLOW_ANY_EGRESS));
    }
    insert(policy.ingress().values(), ports, proxyPort, state);
    insert(policy.egress().values(), allPorts, proxyPort, state);
    if (options.allowLocalhost() && !host) {
      state.insert(
          key(ReservedIdentity.HOST.id(), 0, 0, false), allow(RuleOrigin.ALLOW_LOCALHOST_INGRESS));
    }
    return state;
  }

  private static void insert(
      Collection<L4Filter> filters,
      NamedPorts ports,
      ToIntFunction<L4Filter> proxyPort,
      MapState state) {
    for (L4Filter filter : filters) {
      int protocol = PortProtocol.number(filter.port().protocol());
      int port = port(filter, ports);
      if (port != 0 || !filter.port().isNamed()) {
        insert(filter, port, protocol, proxyPort, state);
      }
    }
  }

  /** A filter's port as a number; 0 for every port, and for a name that nobody has. */
  static int port(L4Filter filter, NamedPorts ports) {
    return filter.port().isNamed()
        ? ports.resolve(filter.port().port(), PortProtocol.number(filter.port().protocol()))
        : number(filter.port().port());
  }

  private static void insert(
      L4Filter filter, int port, int protocol, ToIntFunction<L4Filter> proxyPort, MapState state) {
    PeerPolicy wildcard = null;
    for (Map.Entry<CachedSelector, PeerPolicy> peer : filter.peers().entrySet()) {
      if (peer.getKey().isWildcard()) {
        wildcard = peer.getValue();
      }
    }
    boolean onPort = filter.port().isNamed() || port != 0;
    for (Map.Entry<CachedSelector, PeerPolicy> peer : filter.peers().entrySet()) {
      boolean all = peer.getKey().isWildcard();
      if (onPort && !all && wildcard != null && L4Filter.isCovered(peer.getValue(), wildcard)) {
        continue;
      }
      PeerPolicy says = peer.getValue();
      int redirect = says.isRedirect() ? proxyPort.applyAsInt(filter) : 0;
      if (says.isRedirect() && redirect == 0) {
        continue;
      }
      Entry entry = new Entry(says.deny(), redirect, says.origins());
      if (all) {
        state.insert(key(0, port, protocol, !filter.ingress()), entry);
      } else {
        for (int identity : peer.getKey().selections()) {
          state.insert(key(identity, port, protocol, !filter.ingress()), entry);
        }
      }
    }
  }

  private static PolicyKey key(int identity, int port, int protocol, boolean egress) {
    return new PolicyKey(identity, port, protocol, egress);
  }

  private static Entry allow(RuleOrigin origin) {
    SortedSet<RuleOrigin> origins = new TreeSet<>(List.of(origin));
    return new Entry(false, 0, origins);
  }

  /** As validated; deny rules are not, and there what is no number is port 0. */
  private static int number(String port) {
    try {
      int number = Integer.decode(port.replaceFirst("^0[oO]", "0"));
      return number < 0 || number > 0xffff ? 0 : number;
    } catch (NumberFormatException e) {
      return 0;
    }
  }
}
