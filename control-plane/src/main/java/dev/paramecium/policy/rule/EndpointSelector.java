package dev.paramecium.policy.rule;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * A label selector over extended keys (Cilium {@code pkg/policy/api/selector.go}). Without any
 * condition it is the wildcard: it selects everything.
 *
 * @param matchLabels extended key to value
 */
public record EndpointSelector(
    SortedMap<String, String> matchLabels, List<Requirement> matchExpressions) implements Selector {

  public static final EndpointSelector WILDCARD =
      new EndpointSelector(Collections.emptySortedMap(), List.of());

  public EndpointSelector {
    matchLabels = Collections.unmodifiableSortedMap(new TreeMap<>(matchLabels));
    matchExpressions = List.copyOf(matchExpressions);
  }

  public static EndpointSelector of(Label label) {
    return WILDCARD.withLabel(label.extendedKey(), label.value());
  }

  public boolean isWildcard() {
    return matchLabels.isEmpty() && matchExpressions.isEmpty();
  }

  public boolean matches(LabelSet labels) {
    for (Map.Entry<String, String> label : matchLabels.entrySet()) {
      if (!label.getValue().equals(labels.get(label.getKey()))) {
        return false;
      }
    }
    for (Requirement requirement : matchExpressions) {
      if (!requirement.isMetBy(labels)) {
        return false;
      }
    }
    return true;
  }

  public boolean hasKey(String extendedKey) {
    return matchLabels.containsKey(extendedKey)
        || matchExpressions.stream().anyMatch(r -> r.key().equals(extendedKey));
  }

  public boolean hasKeyPrefix(String prefix) {
    return matchLabels.keySet().stream().anyMatch(key -> key.startsWith(prefix))
        || matchExpressions.stream().anyMatch(r -> r.key().startsWith(prefix));
  }

  public EndpointSelector withLabel(String extendedKey, String value) {
    SortedMap<String, String> labels = new TreeMap<>(matchLabels);
    labels.put(extendedKey, value);
    return new EndpointSelector(labels, matchExpressions);
  }

  public EndpointSelector with(Collection<Requirement> more) {
    List<Requirement> expressions = new ArrayList<>(matchExpressions);
    expressions.addAll(more);
    return new EndpointSelector(matchLabels, expressions);
  }

  /** The same conditions as expressions only: what {@code fromRequires} adds to other selectors. */
  public List<Requirement> requirements() {
    List<Requirement> requirements = new ArrayList<>();
    matchLabels.forEach(
        (key, value) ->
            requirements.add(new Requirement(key, Requirement.Operator.IN, List.of(value))));
    requirements.addAll(matchExpressions);
    return requirements;
  }

  /** As {@code cilium policy selectors} prints it. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder("&LabelSelector{MatchLabels:map[string]string{");
    matchLabels.forEach((key, value) -> out.append(key).append(": ").append(value).append(','));
    StringJoiner expressions =
        new StringJoiner(",", "},MatchExpressions:[]LabelSelectorRequirement{", ",},}");
    expressions.setEmptyValue("},MatchExpressions:[]LabelSelectorRequirement{},}");
    matchExpressions.forEach(expression -> expressions.add(expression.toString()));
    return out.append(expressions).toString();
  }
}
