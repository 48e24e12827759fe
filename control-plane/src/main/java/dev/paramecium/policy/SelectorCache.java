package dev.paramecium.policy;

import dev.paramecium.policy.rule.EndpointSelector;
import dev.paramecium.policy.rule.FqdnSelector;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.Selector;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All identities that the node knows, and which of them each selector in use selects (Cilium {@code
 * pkg/policy/selectorcache.go}). Not thread-safe: it belongs to the agent.
 */
public final class SelectorCache {

  private final Map<Integer, LabelSet> identities = new HashMap<>();
  private final Map<Selector, CachedSelector> selectors = new LinkedHashMap<>();
  private final Map<FqdnSelector, Set<Integer>> named = new HashMap<>();

  /** The cached form of {@code selector}, with its selections. */
  CachedSelector cached(Selector selector) {
    return selectors.computeIfAbsent(selector, this::fill);
  }

  private CachedSelector fill(Selector selector) {
    CachedSelector cached = new CachedSelector(selector);
    switch (selector) {
      case EndpointSelector labels ->
          identities.forEach(
              (identity, set) -> {
                if (labels.matches(set)) {
                  cached.add(identity);
                }
              });
      case FqdnSelector name -> named.getOrDefault(name, Set.of()).forEach(cached::add);
    }
    return cached;
  }

  /**
   * Takes identities in and out.
   *
   * @return the selectors whose selections changed
   */
  public Set<CachedSelector> update(Map<Integer, LabelSet> added, Collection<Integer> removed) {
    Set<CachedSelector> changed = new HashSet<>();
    for (Integer identity : removed) {
      if (identities.remove(identity) != null) {
        for (CachedSelector cached : selectors.values()) {
          if (cached.remove(identity)) {
            changed.add(cached);
          }
        }
      }
    }
    added.forEach(
        (identity, labels) -> {
          if (!labels.equals(identities.put(identity, labels))) {
            reselect(identity, labels, changed);
          }
        });
    return changed;
  }

  private void reselect(int identity, LabelSet labels, Set<CachedSelector> changed) {
    for (CachedSelector cached : selectors.values()) {
      if (cached.selector() instanceof EndpointSelector selector) {
        boolean moved = selector.matches(labels) ? cached.add(identity) : cached.remove(identity);
        if (moved) {
          changed.add(cached);
        }
      }
    }
  }

  /**
   * Says which identities the addresses of a name have.
   *
   * @return the selector in use, if its selections changed
   */
  public @Nullable CachedSelector updateName(FqdnSelector name, Set<Integer> selected) {
    named.put(name, Set.copyOf(selected));
    CachedSelector cached = selectors.get(name);
    if (cached == null || cached.selections().equals(selected)) {
      return null;
    }
    Set.copyOf(cached.selections()).forEach(cached::remove);
    selected.forEach(cached::add);
    return cached;
  }

  /** Forgets the selectors that no policy uses any more. */
  void retain(Set<CachedSelector> used) {
    selectors.values().retainAll(used);
    named.keySet().retainAll(selectors.keySet());
  }

  /** Null if the node does not know the identity. */
  public @Nullable LabelSet labels(int identity) {
    return identities.get(identity);
  }

  /** In the order in which they came into use. */
  public Collection<CachedSelector> selectors() {
    return selectors.values();
  }
}
