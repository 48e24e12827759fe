package dev.paramecium.agent;

import dev.paramecium.api.KubeObject;
import dev.paramecium.identity.CiliumIdentities;
import dev.paramecium.identity.SecurityLabels;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The CiliumIdentities of the cluster, by number and by labels ({@code pkg/identity/cache}). */
final class IdentityCache {

  private final NavigableMap<Integer, SecurityLabels> byNumber = new TreeMap<>();
  private final Map<String, TreeSet<Integer>> byKey = new HashMap<>();

  /**
   * @return the key of the label set whose number may have changed, null if none
   */
  @Nullable String upsert(KubeObject identity) {
    int number = CiliumIdentities.number(identity);
    if (number < 0) {
      return null;
    }
    remove(number);
    SecurityLabels labels = CiliumIdentities.labels(identity);
    byNumber.put(number, labels);
    // One that is going must not be taken up again; whoever has it keeps it until it is gone.
    if (!CiliumIdentities.isReleasing(identity)) {
      byKey.computeIfAbsent(labels.key(), _ -> new TreeSet<>()).add(number);
    }
    return labels.key();
  }

  @Nullable String remove(KubeObject identity) {
    return remove(CiliumIdentities.number(identity));
  }

  private @Nullable String remove(int number) {
    SecurityLabels labels = byNumber.remove(number);
    if (labels == null) {
      return null;
    }
    TreeSet<Integer> numbers = byKey.get(labels.key());
    if (numbers != null) {
      numbers.remove(number);
      if (numbers.isEmpty()) {
        byKey.remove(labels.key());
      }
    }
    return labels.key();
  }

  /** The number of a label set, 0 if it has none. */
  int lookup(SecurityLabels labels) {
    TreeSet<Integer> numbers = byKey.get(labels.key());
    return numbers == null ? 0 : numbers.first();
  }

  NavigableMap<Integer, SecurityLabels> byNumber() {
    return byNumber;
  }
}
