package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;

/** A number of pods, or a share of them: {@code 2}, {@code "25%"}. */
final class IntOrPercent {

  private IntOrPercent() {}

  /**
   * The number; 25 % where nothing is said.
   *
   * @param roundUp whether a part of a pod counts as one
   */
  static int of(JsonNode value, int total, boolean roundUp) {
    if (value.isIntegralNumber()) {
      return value.asInt();
    }
    String text = value.isTextual() ? value.asText() : "25%";
    if (!text.matches("[0-9]{1,6}%?")) {
      return 0;
    }
    int number = Integer.parseInt(text.replace("%", ""));
    if (!text.endsWith("%")) {
      return number;
    }
    long hundredths = (long) number * total;
    return (int) ((hundredths + (roundUp ? 99 : 0)) / 100);
  }
}
