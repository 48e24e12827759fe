package dev.paramecium.agent.policy;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.policy.rule.FqdnSelector;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What names stood for when this node's endpoints asked (Cilium {@code pkg/fqdn/cache.go}). An
 * address stays for the time to live of its record, but at least for {@code tofqdns-min-ttl}.
 */
final class FqdnCache {

  private record Key(int endpointId, String name) {}

  private record Known(long ttl, Instant expires) {}

  private final Duration minTtl;
  private final Map<Key, Map<Ipv4Address, Known>> entries =
      new TreeMap<>(Comparator.comparing(Key::endpointId).thenComparing(Key::name));

  FqdnCache(Duration minTtl) {
    this.minTtl = minTtl;
  }

  /** Takes an answer in; answers whether an address is new to a name. */
  boolean learn(int endpointId, String name, List<Ipv4Address> addresses, long ttl, Instant now) {
    long seconds = Math.max(ttl, minTtl.toSeconds());
    Known known = new Known(seconds, now.plusSeconds(seconds));
    Map<Ipv4Address, Known> of =
        entries.computeIfAbsent(
            new Key(endpointId, name),
            _ -> new TreeMap<>(Comparator.comparing(Ipv4Address::toString)));
    boolean news = false;
    for (Ipv4Address address : addresses) {
      news |= of.put(address, known) == null;
    }
    return news;
  }

  /** Forgets what is too old; answers whether there was something. */
  boolean expire(Instant now) {
    boolean gone = false;
    for (Map<Ipv4Address, Known> of : entries.values()) {
      gone |= of.values().removeIf(known -> !known.expires().isAfter(now));
    }
    entries.values().removeIf(Map::isEmpty);
    return gone;
  }

  /** Forgets what an endpoint was told; answers whether there was something. */
  boolean forget(int endpointId) {
    return entries.keySet().removeIf(key -> key.endpointId() == endpointId);
  }

  /** The addresses of all names that a selector selects. */
  Set<Ipv4Address> addresses(FqdnSelector selector) {
    Set<Ipv4Address> selected = new TreeSet<>(Comparator.comparing(Ipv4Address::toString));
    entries.forEach(
        (key, of) -> {
          if (selector.matches(key.name())) {
            selected.addAll(of.keySet());
          }
        });
    return selected;
  }

  /** By endpoint and name; the time to live is that of the address that was told last. */
  List<ProxyState.CachedName> entries() {
    List<ProxyState.CachedName> all = new ArrayList<>();
    entries.forEach(
        (key, of) -> {
          Collection<Known> known = of.values();
          Known latest = known.stream().max(Comparator.comparing(Known::expires)).orElseThrow();
          all.add(
              new ProxyState.CachedName(
                  key.endpointId(),
                  key.name(),
                  List.copyOf(of.keySet()),
                  latest.ttl(),
                  latest.expires()));
        });
    return all;
  }
}
