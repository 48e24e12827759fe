package dev.paramecium.policy;

import dev.paramecium.policy.rule.FqdnSelector;
import dev.paramecium.policy.rule.HttpRule;
import dev.paramecium.policy.rule.L7Rules;
import dev.paramecium.policy.rule.PortProtocol;
import dev.paramecium.syscall.ProxyConfig.HeaderMatch;
import dev.paramecium.syscall.ProxyConfig.HttpMatch;
import dev.paramecium.syscall.ProxyConfig.Mismatch;
import dev.paramecium.syscall.ProxyConfig.PeerRules;
import dev.paramecium.syscall.ProxyConfig.PortRules;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the proxy is told of a policy: every filter with its peers, those without L7 rules too, so
 * that what another rule allows on the same port passes (Cilium {@code pkg/envoy/server.go}, {@code
 * getNetworkPolicy}).
 */
public final class ProxyRules {

  private ProxyRules() {}

  /**
   * The rules of one endpoint.
   *
   * @param ports of the endpoint's own pod, for ingress
   * @param allPorts of all pods, for egress
   */
  public static List<PortRules> of(SelectorPolicy policy, NamedPorts ports, NamedPorts allPorts) {
    List<PortRules> rules = new ArrayList<>();
    add(policy.ingress().values(), ports, rules);
    add(policy.egress().values(), allPorts, rules);
    return rules;
  }

  private static void add(Collection<L4Filter> filters, NamedPorts ports, List<PortRules> rules) {
    for (L4Filter filter : filters) {
      int protocol = PortProtocol.number(filter.port().protocol());
      int port = EndpointPolicy.port(filter, ports);
      if (port != 0 || !filter.port().isNamed()) {
        rules.add(new PortRules(filter.ingress(), port, protocol, peers(filter)));
      }
    }
  }

  private static List<PeerRules> peers(L4Filter filter) {
    List<PeerRules> peers = new ArrayList<>();
    for (Map.Entry<CachedSelector, PeerPolicy> peer : filter.peers().entrySet()) {
      if (peer.getValue().deny()) {
        continue; // the policy map's denies come before the proxy
      }
      L7Rules l7 = peer.getValue().l7();
      Set<Integer> identities =
          peer.getKey().isWildcard() ? null : Set.copyOf(peer.getKey().selections());
      peers.add(new PeerRules(identities, http(l7), names(l7)));
    }
    return peers;
  }

  private static @Nullable List<HttpMatch> http(L7Rules l7) {
    List<HttpRule> rules = l7.http();
    return rules == null || rules.isEmpty() ? null : rules.stream().map(ProxyRules::http).toList();
  }

  private static HttpMatch http(HttpRule rule) {
    List<HeaderMatch> headers = new ArrayList<>();
    for (String line : rule.headers()) {
      int space = line.indexOf(' ');
      String name = space < 0 ? line : line.substring(0, space).replaceFirst(":$", "");
      String value = space < 0 ? "" : line.substring(space + 1).strip();
      headers.add(new HeaderMatch(name, value, Mismatch.FAIL));
    }
    for (HttpRule.HeaderMatch header : rule.headerMatches()) {
      Mismatch mismatch =
          header.mismatch().isEmpty() ? Mismatch.FAIL : Mismatch.valueOf(header.mismatch());
      headers.add(new HeaderMatch(header.name(), header.value(), mismatch));
    }
    return new HttpMatch(rule.path(), rule.method(), rule.host(), headers);
  }

  private static @Nullable List<String> names(L7Rules l7) {
    List<FqdnSelector> rules = l7.dns();
    return rules == null || rules.isEmpty()
        ? null
        : rules.stream().map(FqdnSelector::expression).toList();
  }
}
