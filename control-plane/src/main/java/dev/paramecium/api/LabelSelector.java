package dev.paramecium.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code metav1.LabelSelector}: {@code matchLabels} and {@code matchExpressions}. */
public final class LabelSelector {

  private LabelSelector() {}

  /** An absent selector matches nothing, an empty one everything. */
  public static boolean matches(JsonNode selector, Map<String, String> labels) {
    if (!selector.isObject() || !containsAll(labels, selector.path("matchLabels"))) {
      return false;
    }
    for (JsonNode expression : selector.path("matchExpressions")) {
      if (!isMet(expression, labels.get(expression.path("key").asText()))) {
        return false;
      }
    }
    return true;
  }

  /** A Service's selector: labels alone, and none of them means that it selects nothing. */
  public static boolean matchesMap(JsonNode selector, Map<String, String> labels) {
    return !selector.isEmpty() && containsAll(labels, selector);
  }

  /** Whether each of the {@code wanted} keys stands among the labels, with its value. */
  public static boolean containsAll(Map<String, String> labels, JsonNode wanted) {
    for (Map.Entry<String, JsonNode> entry : wanted.properties()) {
      if (!entry.getValue().asText().equals(labels.get(entry.getKey()))) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether one requirement is met, which it never is by an operator that label selectors lack.
   *
   * @param value of the label that the requirement is about; null if there is no such label
   */
  public static boolean isMet(JsonNode expression, @Nullable String value) {
    JsonNode values = expression.path("values");
    return switch (expression.path("operator").asText()) {
      case "In" -> value != null && contains(values, value);
      case "NotIn" -> value == null || !contains(values, value);
      case "Exists" -> value != null;
      case "DoesNotExist" -> value == null;
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
}
