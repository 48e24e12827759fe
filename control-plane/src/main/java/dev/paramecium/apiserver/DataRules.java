package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;

/** {@code v1/ConfigMap} and {@code v1/Secret}: named data, and data that never changes again. */
final class DataRules implements ServedKind.Rules {

  private static final Pattern KEY = Pattern.compile("[-._a-zA-Z0-9]{1,253}");
  private static final int MAX_BYTES = 1024 * 1024;

  @Override
  public void setDefaults(ObjectNode object) {
    if (!object.path("kind").asText().equals("Secret")) {
      return;
    }
    Defaults.text(object, "type", "Opaque");
    JsonNode plain = object.remove("stringData");
    if (plain != null) {
      ObjectNode data = object.withObject("/data");
      plain
          .properties()
          .forEach(
              entry ->
                  data.put(
                      entry.getKey(),
                      Base64.getEncoder()
                          .encodeToString(
                              entry.getValue().asText().getBytes(StandardCharsets.UTF_8))));
    }
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    long size = 0;
    for (String field : List.of("data", "binaryData")) {
      for (var entry : object.json().path(field).properties()) {
        size += entry.getValue().asText().length();
        if (!KEY.matcher(entry.getKey()).matches()) {
          violations.invalid(
              field + "[" + entry.getKey() + "]",
              entry.getKey(),
              "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g."
                  + " 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is"
                  + " '[-._a-zA-Z0-9]+')");
        }
      }
    }
    if (size > MAX_BYTES) {
      violations.tooLong("", MAX_BYTES);
    }
  }

  @Override
  public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
    if (old.kind().equals("Secret")) {
      violations.immutable("type", old.at("/type"), now.at("/type"));
    }
    if (old.at("/immutable").asBoolean()) {
      if (!now.at("/immutable").asBoolean()) {
        violations.forbidden("immutable", "field is immutable when `immutable` is set");
      }
      for (String field : List.of("data", "binaryData")) {
        if (!old.json().path(field).equals(now.json().path(field))) {
          violations.forbidden(field, "field is immutable when `immutable` is set");
        }
      }
    }
  }
}
