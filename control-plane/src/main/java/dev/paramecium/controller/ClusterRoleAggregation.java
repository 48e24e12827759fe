package dev.paramecium.controller;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.LabelSelector;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Gives a ClusterRole with an aggregationRule the rules of those that it selects, by name ({@code
 * pkg/controller/clusterroleaggregation}).
 */
final class ClusterRoleAggregation implements Reconciler {

  private static final String SELECTORS = "/aggregationRule/clusterRoleSelectors";

  @Override
  public String name() {
    return "clusterrole-aggregation-controller";
  }

  @Override
  public List<ResourceType> watched() {
    return List.of(ResourceType.CLUSTER_ROLE);
  }

  /** Any role may be selected by any other, and a change may make one a stranger to all. */
  @Override
  public Collection<Key> concerned(KubeObject changed, ObjectCache cache) {
    return cache.all(ResourceType.CLUSTER_ROLE).stream()
        .filter(role -> !role.at(SELECTORS).isEmpty())
        .map(Key::of)
        .toList();
  }

  @Override
  public Plan plan(Key key, ObjectCache cache, Instant now) {
    KubeObject role = cache.get(ResourceType.CLUSTER_ROLE, "", key.name());
    if (role == null || role.at(SELECTORS).isEmpty()) {
      return Plan.NOTHING;
    }
    Set<JsonNode> rules = new LinkedHashSet<>();
    for (JsonNode selector : role.at(SELECTORS)) {
      cache.all(ResourceType.CLUSTER_ROLE).stream()
          .filter(other -> !other.name().equals(role.name()))
          .filter(other -> LabelSelector.matches(selector, other.labels()))
          .sorted(Comparator.comparing(KubeObject::name))
          .forEach(other -> other.at("/rules").forEach(rules::add));
    }
    ArrayNode wanted = JsonNodeFactory.instance.arrayNode();
    rules.forEach(rule -> wanted.add(rule.deepCopy()));
    if (wanted.equals(role.at("/rules")) || wanted.isEmpty() && role.at("/rules").isEmpty()) {
      return Plan.NOTHING;
    }
    KubeObject aggregated = role.copy();
    aggregated.json().set("rules", wanted);
    return new Plan(
        List.of(new Write.Update(ResourceType.CLUSTER_ROLE, aggregated)), Duration.ZERO);
  }
}
