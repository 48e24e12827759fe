package dev.paramecium.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Label selectors and node selector requirements, which know {@code Gt} and {@code Lt} as well. */
final class Expressions {

  private Expressions() {}

  /** {@code metav1.LabelSelector}: an absent one selects nothing, an empty one everything. */
  static boolean selects(JsonNode selector, Map<String, String> labels) {
    return selector.isObject()
        && containsAll(labels, selector.path("matchLabels"))
        && areMet(selector.path("matchExpressions"), labels);
  }

  static boolean containsAll(Map<String, String> labels, JsonNode wanted) {
    for (Map.Entry<String, JsonNode> entry : wanted.properties()) {
      if (!entry.getValue().asText().equals(labels.get(entry.getKey()))) {
        return false;
      }
    }
    return true;
  }

  static boolean areMet(JsonNode expressions, Map<String, String> labels) {
    for (JsonNode expression : expressions) {
      if (!isMet(expression, labels.get(expression.path("key").asText()))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isMet(JsonNode expression, @Nullable String value) {
    JsonNode values = expression.path("values");
    return switch (expression.path("operator").asText()) {
      case "In" -> value != null && contains(values, value);
      case "NotIn" -> value == null || !contains(values, value);
      case "Exists" -> value != null;
      case "DoesNotExist" -> value == null;
      case "Gt" -> value != null && compare(value, values) > 0;
      case "Lt" -> value != null && compare(value, values) < 0;
      default -> false;
    };
  }

  private static boolean contains(JsonNode values, String value) {
    for (JsonNode one : values) {
      if (one.asText().equals(value)) {
        return true;
      }
    }
    return false;
  }

  /** 0, which is neither greater nor less, if one of the two is no integer. */
  private static int compare(String value, JsonNode values) {
    try {
      return Long.compare(Long.parseLong(value), Long.parseLong(values.path(0).asText()));
    } catch (NumberFormatException _) {
      return 0;
    }
  }
}
