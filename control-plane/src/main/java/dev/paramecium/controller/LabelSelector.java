package dev.paramecium.controller;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code metav1.LabelSelector}: {@code matchLabels} and {@code matchExpressions}. */
public final class LabelSelector {

  private LabelSelector() {}

  /** An absent selector matches nothing, an empty one everything. */
  public static boolean matches(JsonNode selector, Map<String, String> labels) {
    if (!selector.isObject()) {
      return false;
    }
    for (Map.Entry<String, JsonNode> wanted : selector.path("matchLabels").properties()) {
      if (!wanted.getValue().asText().equals(labels.get(wanted.getKey()))) {
        return false;
      }
    }
    for (JsonNode expression : selector.path("matchExpressions")) {
      if (!isMet(expression, labels)) {
        return false;
      }
    }
    return true;
  }

  /** A Service's selector: labels alone, and none of them means that it selects nothing. */
  public static boolean matchesMap(JsonNode selector, Map<String, String> labels) {
    if (selector.isEmpty()) {
      return false;
    }
    for (Map.Entry<String, JsonNode> wanted : selector.properties()) {
      if (!wanted.getValue().asText().equals(labels.get(wanted.getKey()))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isMet(JsonNode expression, Map<String, String> labels) {
    String value = labels.get(expression.path("key").asText());
    List<String> values = new ArrayList<>();
    expression.path("values").forEach(node -> values.add(node.asText()));
    return switch (expression.path("operator").asText()) {
      case "In" -> value != null && values.contains(value);
      case "NotIn" -> value == null || !values.contains(value);
      case "Exists" -> value != null;
      case "DoesNotExist" -> value == null;
      default -> false;
    };
  }
}
