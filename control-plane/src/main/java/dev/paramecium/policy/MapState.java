package dev.paramecium.policy;

import dev.paramecium.abi.PolicyKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a policy map should hold (Cilium {@code pkg/policy/mapstate.go}). An insertion keeps the
 * precedence of v1.12.3, whose datapath asks for (peer, port), then (any, port), (peer, any), (any,
 * any) and takes the first hit: so that a deny of a peer also beats an allow of a port, it is
 * repeated for that port.
 */
public final class MapState {

  /**
   * One entry.
   *
   * @param proxyPort 0 for none
   * @param origins the rules that made it so
   */
  public record Entry(boolean deny, int proxyPort, SortedSet<RuleOrigin> origins) {

    Entry merge(Entry other) {
      SortedSet<RuleOrigin> both = new TreeSet<>(origins);
      both.addAll(other.origins);
      return new Entry(deny, proxyPort, both);
    }

    /** Whether the datapath does the same with both. */
    public boolean isSameVerdict(Entry other) {
      return deny == other.deny && proxyPort == other.proxyPort;
    }
  }

  private final Map<PolicyKey, Entry> entries = new HashMap<>();

  public Map<PolicyKey, Entry> entries() {
    return Collections.unmodifiableMap(entries);
  }

  public @Nullable Entry get(PolicyKey key) {
    return entries.get(key);
  }

  /** Inserts by precedence. */
  void insert(PolicyKey key, Entry entry) {
    Entry all = entries.get(new PolicyKey(0, 0, 0, key.egress()));
    if (all != null && all.deny()) {
      return;
    }
    if (entry.deny()) {
      insertDeny(key, entry);
    } else if (key.securityIdentity() == 0 && key.destinationPort() != 0) {
      repeatPeerDenies(key);
      put(key, entry);
    } else if (!isDenied(peer(key))) {
      insertAllow(key, entry);
    }
  }

  private void insertDeny(PolicyKey key, Entry entry) {
    if (isPeerOnly(key)) {
      denyPeer(key, entry);
    } else if (isAll(key)) {
      entries.keySet().removeIf(old -> old.egress() == key.egress());
    } else if (isDenied(peer(key))) {
      return;
    }
    put(key, entry);
  }

  /** The peer's allows go; where all peers are allowed a port, the peer is denied it by name. */
  private void denyPeer(PolicyKey key, Entry entry) {
    List<PolicyKey> open = new ArrayList<>();
    List<PolicyKey> stale = new ArrayList<>();
    entries.forEach(
        (old, state) -> {
          if (old.egress() != key.egress()) {
            return;
          }
          if (!state.deny() && old.securityIdentity() == 0 && hasPortOrProtocol(old)) {
            open.add(withPeer(old, key.securityIdentity()));
          }
          if (old.securityIdentity() == key.securityIdentity()
              && old.destinationPort() != 0
              && old.protocol() != 0) {
            stale.add(old);
          }
        });
    stale.removeAll(open);
    stale.forEach(entries::remove);
    open.forEach(port -> put(port, entry));
  }

  private void repeatPeerDenies(PolicyKey port) {
    List<Map.Entry<PolicyKey, Entry>> denied = new ArrayList<>();
    for (Map.Entry<PolicyKey, Entry> old : entries.entrySet()) {
      if (old.getKey().egress() == port.egress()
          && old.getValue().deny()
          && isPeerOnly(old.getKey())) {
        denied.add(old);
      }
    }
    for (Map.Entry<PolicyKey, Entry> old : denied) {
      put(withPeer(port, old.getKey().securityIdentity()), old.getValue());
    }
  }

  /** An allow never takes the place of a deny or of a redirect. */
  private void insertAllow(PolicyKey key, Entry entry) {
    Entry old = entries.get(key);
    if (old == null || (!old.deny() && old.proxyPort() == 0)) {
      put(key, entry);
    } else if (old.isSameVerdict(entry)) {
      entries.put(key, old.merge(entry));
    }
  }

  private void put(PolicyKey key, Entry entry) {
    entries.merge(key, entry, (old, now) -> old.isSameVerdict(now) ? old.merge(now) : now);
  }

  private boolean isDenied(PolicyKey key) {
    Entry entry = entries.get(key);
    return entry != null && entry.deny();
  }

  private static PolicyKey peer(PolicyKey key) {
    return new PolicyKey(key.securityIdentity(), 0, 0, key.egress());
  }

  private static PolicyKey withPeer(PolicyKey key, int identity) {
    return new PolicyKey(identity, key.destinationPort(), key.protocol(), key.egress());
  }

  private static boolean hasPortOrProtocol(PolicyKey key) {
    return key.destinationPort() != 0 || key.protocol() != 0;
  }

  private static boolean isPeerOnly(PolicyKey key) {
    return key.securityIdentity() != 0 && !hasPortOrProtocol(key);
  }

  private static boolean isAll(PolicyKey key) {
    return key.securityIdentity() == 0 && !hasPortOrProtocol(key);
  }
}
