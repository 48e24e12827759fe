package dev.paramecium.kernel;

import dev.paramecium.inspect.IdentityLabels;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the agent has said that identities stand for; the reserved ones are known without it. */
final class KnownIdentities implements IdentityLabels {

  private final Map<Integer, List<String>> labels = new ConcurrentHashMap<>();

  void name(Map<Integer, List<String>> named) {
    named.forEach(
        (identity, lines) -> {
          if (lines.isEmpty()) {
            labels.remove(identity);
          } else {
            labels.put(identity, List.copyOf(lines));
          }
        });
  }

  @Override
  public List<String> labelsOf(int identity) {
    List<String> known = labels.get(identity);
    return known == null ? RESERVED.labelsOf(identity) : known;
  }
}
