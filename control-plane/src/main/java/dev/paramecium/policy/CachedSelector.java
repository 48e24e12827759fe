package dev.paramecium.policy;

import dev.paramecium.policy.rule.EndpointSelector;
import dev.paramecium.policy.rule.Selector;
import java.util.Collections;
import java.util.NavigableSet;
import java.util.TreeSet;

/** A selector and the identities that it selects now; {@link SelectorCache} keeps it right. */
public final class CachedSelector {

  private final Selector selector;
  private final NavigableSet<Integer> selections = new TreeSet<>();

  CachedSelector(Selector selector) {
    this.selector = selector;
  }

  public Selector selector() {
    return selector;
  }

  /** Security identities, in order. */
  public NavigableSet<Integer> selections() {
    return Collections.unmodifiableNavigableSet(selections);
  }

  public boolean isWildcard() {
    return selector instanceof EndpointSelector labels && labels.isWildcard();
  }

  public boolean selects(int identity) {
    return isWildcard() || selections.contains(identity);
  }

  boolean add(int identity) {
    return selections.add(identity);
  }

  boolean remove(int identity) {
    return selections.remove(identity);
  }

  @Override
  public String toString() {
    return selector.toString();
  }
}
