package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.kubelet.ContainerInputs.Missing;
import dev.paramecium.kubelet.ContainerInputs.Source;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A container's environment ({@code makeEnvironmentVariables} of the kubelet): the namespace's
 * Services, then {@code envFrom}, then {@code env}; what comes later wins.
 *
 * @param found the ConfigMaps and Secrets that it refers to, empty for one that is not there
 */
record Environment(PodFields fields, Map<Source, Optional<KubeObject>> found) {

  /**
   * The variables.
   *
   * @throws Missing if a reference that is not optional leads nowhere
   */
  Map<String, String> of(JsonNode container, Map<String, String> services) {
    Map<String, String> env = new LinkedHashMap<>(services);
    for (JsonNode from : container.path("envFrom")) {
      String prefix = from.path("prefix").asText();
      keys(from.path("configMapRef"), Source.configMap(from.path("configMapRef").path("name")))
          .forEach((key, value) -> env.put(prefix + key, text(value)));
      keys(from.path("secretRef"), Source.secret(from.path("secretRef").path("name")))
          .forEach((key, value) -> env.put(prefix + key, text(value)));
    }
    for (JsonNode variable : container.path("env")) {
      String name = variable.path("name").asText();
      if (variable.path("valueFrom").isObject()) {
        value(variable.path("valueFrom"), container).ifPresent(value -> env.put(name, value));
      } else {
        env.put(name, expand(variable.path("value").asText(), env));
      }
    }
    return env;
  }

  private Map<String, byte[]> keys(JsonNode reference, Source source) {
    if (!reference.isObject()) {
      return Map.of();
    }
    Optional<KubeObject> object = found.getOrDefault(source, Optional.empty());
    if (object.isEmpty() && !reference.path("optional").asBoolean()) {
      throw new Missing(false, source + " not found");
    }
    return object.map(ConfigKeys::of).orElse(Map.of());
  }

  private Optional<String> value(JsonNode from, JsonNode container) {
    try {
      if (from.path("fieldRef").isObject()) {
        return Optional.of(fields.field(from.at("/fieldRef/fieldPath").asText()));
      }
      if (from.path("resourceFieldRef").isObject()) {
        return Optional.of(fields.resource(from.path("resourceFieldRef"), container));
      }
    } catch (IllegalArgumentException e) {
      throw new Missing(false, String.valueOf(e.getMessage()));
    }
    return from.path("configMapKeyRef").isObject()
        ? key(
            from.path("configMapKeyRef"),
            Source.configMap(from.at("/configMapKeyRef/name")),
            "ConfigMap")
        : key(from.path("secretKeyRef"), Source.secret(from.at("/secretKeyRef/name")), "Secret");
  }

  private Optional<String> key(JsonNode reference, Source source, String kind) {
    byte[] value = keys(reference, source).get(reference.path("key").asText());
    if (value == null && !reference.path("optional").asBoolean()) {
      throw new Missing(
          false,
          "couldn't find key "
              + reference.path("key").asText()
              + " in "
              + kind
              + " "
              + fields.pod().namespace()
              + "/"
              + source.name());
    }
    return Optional.ofNullable(value).map(Environment::text);
  }

  private static String text(byte[] value) {
    return new String(value, StandardCharsets.UTF_8);
  }

  /**
   * Puts variables in: {@code $(NAME)} becomes the value of one that is known and stays as it is
   * otherwise; {@code $$} is one dollar ({@code third_party/forked/golang/expansion}).
   */
  static String expand(String text, Map<String, String> env) {
    StringBuilder out = new StringBuilder();
    int at = 0;
    while (at < text.length()) {
      char next = at + 1 < text.length() ? text.charAt(at + 1) : 0;
      int end = text.indexOf(')', at);
      if (text.charAt(at) == '$' && next == '$') {
        out.append('$');
        at += 2;
      } else if (text.charAt(at) == '$' && next == '(' && end > 0) {
        String name = text.substring(at + 2, end);
        out.append(env.getOrDefault(name, text.substring(at, end + 1)));
        at = end + 1;
      } else {
        out.append(text.charAt(at));
        at++;
      }
    }
    return out.toString();
  }
}
