package dev.paramecium.apiserver.rest;

import java.util.List;
import java.util.Map;

/** The parameters of a URL. */
record Query(Map<String, List<String>> parameters) {

  String text(String name) {
    List<String> values = parameters.getOrDefault(name, List.of());
    return values.isEmpty() ? "" : values.getFirst();
  }

  List<String> all(String name) {
    return parameters.getOrDefault(name, List.of());
  }

  boolean flag(String name) {
    return List.of("true", "1").contains(text(name));
  }

  long number(String name, long otherwise) throws BadRequest {
    String text = text(name);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      // The words of Go's strconv, which is how clients of the real server know them.
      boolean tooLarge = text.matches("[+-]?[0-9]+");
      throw new BadRequest(
          400,
          "BadRequest",
          "strconv.ParseInt: parsing \"%s\": %s"
              .formatted(text, tooLarge ? "value out of range" : "invalid syntax"));
    }
  }
}
