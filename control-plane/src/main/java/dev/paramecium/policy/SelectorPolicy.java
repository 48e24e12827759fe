package dev.paramecium.policy;

import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What all rules together say of one identity, still by selector (Cilium {@code L4Policy}). Every
 * endpoint of the identity shares it.
 *
 * @param ingress filters by port and protocol; closed and without filters is "deny all"
 * @param closedIngressBy the rules that closed the direction: the answer to "who denied this?"
 */
public record SelectorPolicy(
    boolean ingressClosed,
    boolean egressClosed,
    SortedMap<String, L4Filter> ingress,
    SortedMap<String, L4Filter> egress,
    Set<RuleOrigin> closedIngressBy,
    Set<RuleOrigin> closedEgressBy) {

  /** Lets nothing pass. */
  public static final SelectorPolicy CLOSED =
      new SelectorPolicy(true, true, new TreeMap<>(), new TreeMap<>(), Set.of(), Set.of());

  public SelectorPolicy {
    ingress = Collections.unmodifiableSortedMap(new TreeMap<>(ingress));
    egress = Collections.unmodifiableSortedMap(new TreeMap<>(egress));
  }

  /** The selectors whose selections decide the policy maps. */
  Set<CachedSelector> selectors() {
    Set<CachedSelector> used = new HashSet<>();
    for (Map<String, L4Filter> direction : java.util.List.of(ingress, egress)) {
      direction.values().forEach(filter -> used.addAll(filter.peers().keySet()));
    }
    return used;
  }

  /** Whether a change of one of {@code changed} can change the policy maps. */
  public boolean usesAny(Set<CachedSelector> changed) {
    return selectors().stream().anyMatch(changed::contains);
  }

  /** The filters that need a proxy. */
  public Collection<L4Filter> redirects() {
    Set<L4Filter> redirects = new HashSet<>();
    for (Map<String, L4Filter> direction : java.util.List.of(ingress, egress)) {
      direction.values().stream().filter(f -> !f.parser().isEmpty()).forEach(redirects::add);
    }
    return redirects;
  }
}
