package dev.paramecium.agent.desired;

import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.agent.reconciler.Change;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a node's maps that somebody claims. An owner (an object) states all its claims at
 * once; where several claim one entry, the strongest source counts, then the newest revision, then
 * the owner's name. What comes out therefore depends on who claims what, not on who spoke when.
 */
public final class DesiredState {

  private record Entry(String map, Bytes key) {}

  private record Owned(String owner, Claim claim) {}

  private static final Comparator<Owned> STRONGEST_FIRST =
      Comparator.comparing((Owned o) -> o.claim().source())
          .thenComparing(Comparator.comparingLong((Owned o) -> o.claim().revision()).reversed())
          .thenComparing(Owned::owner);

  private final Map<String, List<Claim>> byOwner = new HashMap<>();
  private final Map<Entry, List<Owned>> byEntry = new HashMap<>();

  /**
   * Puts {@code claims} in the place of all earlier claims of {@code owner}.
   *
   * @return the entries that are now wanted otherwise
   */
  public List<Change> replace(String owner, List<Claim> claims) {
    List<Claim> previous = byOwner.getOrDefault(owner, List.of());
    if (previous.equals(claims)) {
      return List.of();
    }
    Set<Entry> touched = new LinkedHashSet<>();
    previous.forEach(claim -> touched.add(new Entry(claim.map(), claim.key())));
    claims.forEach(claim -> touched.add(new Entry(claim.map(), claim.key())));
    Map<Entry, @Nullable Bytes> before = new HashMap<>();
    for (Entry entry : touched) {
      before.put(entry, value(entry));
      List<Owned> owned = byEntry.get(entry);
      if (owned != null) {
        owned.removeIf(o -> o.owner().equals(owner));
      }
    }
    for (Claim claim : claims) {
      List<Owned> owned =
          byEntry.computeIfAbsent(new Entry(claim.map(), claim.key()), _ -> new ArrayList<>(1));
      owned.add(new Owned(owner, claim));
      owned.sort(STRONGEST_FIRST);
    }
    if (claims.isEmpty()) {
      byOwner.remove(owner);
    } else {
      byOwner.put(owner, List.copyOf(claims));
    }
    List<Change> changes = new ArrayList<>();
    for (Entry entry : touched) {
      Bytes now = value(entry);
      if (!Objects.equals(before.get(entry), now)) {
        changes.add(new Change(entry.map(), entry.key(), now));
      }
      List<Owned> owned = byEntry.get(entry);
      if (owned != null && owned.isEmpty()) {
        byEntry.remove(entry);
      }
    }
    return changes;
  }

  /** The owner is gone. */
  public List<Change> remove(String owner) {
    return replace(owner, List.of());
  }

  private @Nullable Bytes value(Entry entry) {
    List<Owned> owned = byEntry.get(entry);
    return owned == null || owned.isEmpty() ? null : owned.getFirst().claim().value();
  }

  /** The claims that count for {@code map}, by key. */
  public Map<Bytes, Claim> effective(String map) {
    Map<Bytes, Claim> effective = new TreeMap<>();
    byEntry.forEach(
        (entry, owned) -> {
          if (entry.map().equals(map) && !owned.isEmpty()) {
            effective.put(entry.key(), owned.getFirst().claim());
          }
        });
    return effective;
  }
}
