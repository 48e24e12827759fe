package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.schema.CustomTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The kinds that CustomResourceDefinitions define: one for each version that is served. */
final class CustomKinds {

  private static final Pattern STEP =
      Pattern.compile(
          "\\.([A-Za-z0-9_\\-/]+)|\\[\\?\\(@\\.([A-Za-z0-9_\\-]+)\\s*==\\s*[\"']([^\"']*)[\"']\\)]"
              + "|\\[([0-9]+)]|\\[(\\*)]|\\[['\"]([^'\"]+)['\"]]");

  private CustomKinds() {}

  static List<ServedKind> of(KubeObject definition) {
    JsonNode spec = definition.at("/spec");
    JsonNode names = spec.path("names");
    String group = spec.path("group").asText();
    List<ServedKind> kinds = new ArrayList<>();
    for (JsonNode version : spec.path("versions")) {
      if (!version.path("served").asBoolean()
          || !definition.text("/metadata/deletionTimestamp").isEmpty()) {
        continue;
      }
      ResourceType type =
          new ResourceType(
              group,
              version.path("name").asText(),
              names.path("plural").asText(),
              names.path("kind").asText(),
              spec.path("scope").asText().equals("Namespaced"));
      JsonNode schema = version.path("schema").path("openAPIV3Schema");
      ServedKind kind =
          ServedKind.of(type, CustomTypes.of(definitionName(type), schema))
              .withSingular(names.path("singular").asText())
              .withShortNames(CoreColumns.texts(names.path("shortNames")).toArray(String[]::new))
              .in(CoreColumns.texts(names.path("categories")).toArray(String[]::new))
              .withRules(new CustomRules(schema))
              .withColumns(columns(version.path("additionalPrinterColumns")));
      JsonNode parts = version.path("subresources");
      if (parts.has("status")) {
        kind = kind.withStatus();
      }
      if (parts.has("scale")) {
        kind =
            kind.withScale(
                new ServedKind.Scale(
                    pointer(parts.path("scale").path("specReplicasPath")),
                    pointer(parts.path("scale").path("statusReplicasPath")),
                    pointer(parts.path("scale").path("labelSelectorPath"))));
      }
      kinds.add(kind);
    }
    return kinds;
  }

  /** {@code com.example.v1.Thing} of group {@code example.com}. */
  private static String definitionName(ResourceType type) {
    List<String> parts = new ArrayList<>(List.of(type.group().split("\\.", -1)));
    java.util.Collections.reverse(parts);
    return String.join(".", parts) + "." + type.version() + "." + type.kind();
  }

  private static String pointer(JsonNode path) {
    return path.asText().replace('.', '/');
  }

  private static List<ServedKind.Column> columns(JsonNode given) {
    List<ServedKind.Column> columns = new ArrayList<>();
    columns.add(Columns.NAME);
    for (JsonNode column : given) {
      String path = column.path("jsonPath").asText();
      boolean date = column.path("type").asText().equals("date");
      columns.add(
          new ServedKind.Column(
              column.path("name").asText(),
              column.path("type").asText(),
              column.path("format").asText(),
              column.path("priority").asInt(),
              (object, now) -> {
                String text = text(object.json(), path);
                return date && !text.isEmpty() ? Columns.since(text, now) : text;
              }));
    }
    if (given.isEmpty()) {
      columns.add(Columns.AGE);
    }
    return List.copyOf(columns);
  }

  /** What a JSONPath leads to: fields, elements by number or by one field's value, or all. */
  static String text(JsonNode object, String path) {
    List<JsonNode> found = List.of(object);
    Matcher step = STEP.matcher(path);
    while (step.find()) {
      List<JsonNode> next = new ArrayList<>();
      for (JsonNode node : found) {
        take(step, node, next);
      }
      found = next;
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode node : found) {
      if (!node.isMissingNode() && !node.isNull()) {
        texts.add(node.isContainerNode() ? node.toString() : node.asText());
      }
    }
    return String.join(",", texts);
  }

  private static void take(Matcher step, JsonNode node, List<JsonNode> next) {
    if (step.group(1) != null) {
      next.add(node.path(step.group(1)));
    } else if (step.group(2) != null) {
      for (JsonNode element : node) {
        if (element.path(step.group(2)).asText().equals(step.group(3))) {
          next.add(element);
        }
      }
    } else if (step.group(4) != null) {
      next.add(node.path(Integer.parseInt(step.group(4))));
    } else if (step.group(5) != null) {
      node.forEach(next::add);
    } else {
      next.add(node.path(step.group(6)));
    }
  }
}
