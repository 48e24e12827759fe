package dev.paramecium.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.LabelSelector;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code v1.NodeSelectorRequirement}: what a label selector can require, and {@code Gt} and {@code
 * Lt} as well.
 */
final class NodeRequirements {

  private NodeRequirements() {}

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
      case "Gt" -> value != null && compare(value, values) > 0;
      case "Lt" -> value != null && compare(value, values) < 0;
      default -> LabelSelector.isMet(expression, value);
    };
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
