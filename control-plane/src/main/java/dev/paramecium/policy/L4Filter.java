package dev.paramecium.policy;

import dev.paramecium.policy.rule.InvalidRuleException;
import dev.paramecium.policy.rule.PortProtocol;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Everything that all rules say about one port and protocol in one direction, by selector (Cilium
 * {@code pkg/policy/l4.go}). A named port and the number that it stands for are two filters.
 */
public final class L4Filter {

  private final PortProtocol port;
  private final boolean ingress;
  private final Map<CachedSelector, PeerPolicy> peers = new LinkedHashMap<>();
  private String parser;

  L4Filter(PortProtocol port, boolean ingress, String parser) {
    this.port = port;
    this.ingress = ingress;
    this.parser = parser;
  }

  public PortProtocol port() {
    return port;
  }

  public boolean ingress() {
    return ingress;
  }

  /** {@code http}, {@code kafka}, {@code dns}, a name of {@code l7proto}; empty for no proxy. */
  public String parser() {
    return parser;
  }

  Map<CachedSelector, PeerPolicy> peers() {
    return Collections.unmodifiableMap(peers);
  }

  void add(CachedSelector selector, PeerPolicy policy) {
    PeerPolicy old = peers.get(selector);
    peers.put(selector, old == null ? policy : old.merge(policy));
  }

  /** Adds a selector that the filter does not have yet. */
  void addIfAbsent(CachedSelector selector, PeerPolicy policy) {
    peers.putIfAbsent(selector, policy);
  }

  /**
   * Takes over what {@code other}, for the same port, says.
   *
   * @throws InvalidRuleException if the two want different proxies
   */
  void merge(L4Filter other) {
    if (!other.parser.isEmpty()) {
      if (!parser.isEmpty() && !parser.equals(other.parser)) {
        throw new InvalidRuleException(
            "cannot merge conflicting L7 parsers (" + other.parser + "/" + parser + ")");
      }
      parser = other.parser;
    }
    other.peers.forEach(this::add);
  }

  /**
   * Whether an entry for one peer is needed beside the entry for all peers on the same port: not if
   * it says the same, and not if all are denied (Cilium {@code __canSkip}).
   */
  static boolean isCovered(PeerPolicy peer, PeerPolicy wildcard) {
    if (peer.deny()) {
      return wildcard.deny();
    }
    return wildcard.deny() || !peer.isRedirect() || wildcard.isRedirect();
  }
}
