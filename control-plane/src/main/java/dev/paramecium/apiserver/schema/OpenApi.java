package dev.paramecium.apiserver.schema;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.ServedKind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The kinds as OpenAPI documents: version 2 in one, version 3 in one for each group and version.
 * They are what {@code kubectl explain} prints and what clients check manifests against.
 */
public final class OpenApi {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final String V2 = "#/definitions/";
  private static final String V3 = "#/components/schemas/";

  private final Map<String, List<ServedKind>> byPath = new LinkedHashMap<>();

  public OpenApi(Iterable<ServedKind> kinds) {
    for (ServedKind kind : kinds) {
      byPath.computeIfAbsent(path(kind.type()), _ -> new ArrayList<>()).add(kind);
    }
  }

  private static String path(ResourceType type) {
    return (type.group().isEmpty() ? "api/" : "apis/") + type.apiVersion();
  }

  /** Where each group and version's document is ({@code /openapi/v3}). */
  public ObjectNode index() {
    ObjectNode index = NODES.objectNode();
    ObjectNode paths = index.putObject("paths");
    byPath.forEach(
        (path, kinds) ->
            paths
                .putObject(path)
                .put(
                    "serverRelativeURL",
                    "/openapi/v3/"
                        + path
                        + "?hash="
                        + Integer.toHexString(document(kinds).hashCode())));
    return index;
  }

  /** The document of {@code api/v1}, {@code apis/apps/v1}, …; empty if there is no such. */
  public Optional<ObjectNode> version3(String path) {
    return Optional.ofNullable(byPath.get(path)).map(this::document);
  }

  private ObjectNode document(List<ServedKind> kinds) {
    ObjectNode document = NODES.objectNode();
    document.put("openapi", "3.0.0").set("info", info());
    document.set("paths", paths(kinds));
    document.putObject("components").set("schemas", schemas(kinds, V3));
    return document;
  }

  /** Everything in one document ({@code /openapi/v2}). */
  public ObjectNode version2() {
    List<ServedKind> all = byPath.values().stream().flatMap(List::stream).toList();
    ObjectNode document = NODES.objectNode();
    document.put("swagger", "2.0").set("info", info());
    document.set("paths", paths(all));
    document.set("definitions", schemas(all, V2));
    return document;
  }

  private static ObjectNode info() {
    return NODES.objectNode().put("title", "Kubernetes").put("version", "v1.24.17");
  }

  /** kubectl looks for the patch operation's parameters, to see whether the server validates. */
  private static ObjectNode paths(List<ServedKind> kinds) {
    ObjectNode paths = NODES.objectNode();
    for (ServedKind kind : kinds) {
      ObjectNode patch =
          paths
              .putObject(
                  "/"
                      + path(kind.type())
                      + (kind.type().namespaced() ? "/namespaces/{namespace}/" : "/")
                      + kind.type().plural()
                      + "/{name}")
              .putObject("patch");
      ArrayNode parameters = patch.putArray("parameters");
      for (String name : List.of("dryRun", "fieldManager", "fieldValidation", "force")) {
        ObjectNode parameter = parameters.addObject();
        parameter.put("name", name).put("in", "query");
        parameter.putObject("schema").put("type", name.equals("force") ? "boolean" : "string");
      }
      patch.putObject("responses").putObject("200").put("description", "OK");
      patch.put("x-kubernetes-action", "patch");
      patch.set("x-kubernetes-group-version-kind", identity(kind.type()));
    }
    return paths;
  }

  private static ObjectNode identity(ResourceType type) {
    return NODES
        .objectNode()
        .put("group", type.group())
        .put("kind", type.kind())
        .put("version", type.version());
  }

  private static ObjectNode schemas(List<ServedKind> kinds, String prefix) {
    ObjectNode schemas = NODES.objectNode();
    Deque<Type.Struct> left = new ArrayDeque<>();
    for (ServedKind kind : kinds) {
      ObjectNode schema = struct(kind.schema(), prefix, left);
      ObjectNode properties = schema.withObject("/properties");
      properties
          .putObject("apiVersion")
          .put("description", "The group and version of the API that this object is written in.")
          .put("type", "string");
      properties
          .putObject("kind")
          .put("description", "The kind of this object, in the singular: " + kind.type().kind())
          .put("type", "string");
      schema.putArray("x-kubernetes-group-version-kind").add(identity(kind.type()));
      schemas.set(kind.schema().name(), schema);
    }
    while (!left.isEmpty()) {
      Type.Struct next = left.remove();
      if (!schemas.has(next.name())) {
        schemas.set(next.name(), struct(next, prefix, left));
      }
    }
    return schemas;
  }

  private static ObjectNode struct(Type.Struct struct, String prefix, Deque<Type.Struct> left) {
    ObjectNode schema = NODES.objectNode();
    describe(schema, struct.description());
    schema.put("type", "object");
    ArrayNode required = NODES.arrayNode();
    ObjectNode properties = schema.putObject("properties");
    for (Type.Field field : struct.fields().values()) {
      ObjectNode property = described(field, property(field.type(), prefix, left), prefix);
      if (field.retainKeys()) {
        String merge = property.path("x-kubernetes-patch-strategy").asText();
        property.put(
            "x-kubernetes-patch-strategy", merge.isEmpty() ? "retainKeys" : merge + ",retainKeys");
      }
      properties.set(field.name(), property);
      if (field.required()) {
        required.add(field.name());
      }
    }
    if (!required.isEmpty()) {
      schema.set("required", required);
    }
    if (struct.atomic()) {
      schema.put("x-kubernetes-map-type", "atomic");
    }
    if (struct.open()) {
      schema.put("x-kubernetes-preserve-unknown-fields", true);
    }
    return schema;
  }

  private static void describe(ObjectNode schema, String description) {
    if (!description.isEmpty()) {
      schema.put("description", description);
    }
  }

  /** In version 3 a reference stands alone, so that what is said beside it needs {@code allOf}. */
  private static ObjectNode described(Type.Field field, ObjectNode property, String prefix) {
    ObjectNode described = property;
    if (property.has("$ref") && prefix.equals(V3) && !field.description().isEmpty()) {
      described = NODES.objectNode();
      described.putArray("allOf").add(property);
    }
    describe(described, field.description());
    return described;
  }

  private static ObjectNode property(Type type, String prefix, Deque<Type.Struct> left) {
    ObjectNode property = NODES.objectNode();
    switch (type) {
      case Type.Any _ -> property.put("type", "object");
      case Type.Scalar scalar -> scalar(property, scalar.format());
      case Type.MapOf map -> {
        property.put("type", "object");
        property.set("additionalProperties", property(map.value(), prefix, left));
        if (map.atomic()) {
          property.put("x-kubernetes-map-type", "atomic");
        }
      }
      case Type.ListOf list -> {
        property.put("type", "array");
        property.set("items", property(list.element(), prefix, left));
        merge(property, list.merge());
      }
      case Type.Struct struct -> {
        if (struct.name().isEmpty()) {
          return struct(struct, prefix, left);
        }
        property.put("$ref", prefix + struct.name());
        left.add(struct);
      }
    }
    return property;
  }

  private static void merge(ObjectNode property, Type.Merge merge) {
    if (!merge.strategicKey().isEmpty()) {
      property.put("x-kubernetes-patch-merge-key", merge.strategicKey());
      property.put("x-kubernetes-patch-strategy", "merge");
    }
    if (merge.set()) {
      property.put("x-kubernetes-list-type", "set").put("x-kubernetes-patch-strategy", "merge");
    } else if (!merge.keys().isEmpty()) {
      property.put("x-kubernetes-list-type", "map");
      ArrayNode keys = property.putArray("x-kubernetes-list-map-keys");
      merge.keys().forEach(keys::add);
    } else {
      property.put("x-kubernetes-list-type", "atomic");
    }
  }

  private static void scalar(ObjectNode property, Type.Format format) {
    switch (format) {
      case STRING, QUANTITY -> property.put("type", "string");
      case BYTES -> property.put("type", "string").put("format", "byte");
      case TIME, MICRO_TIME -> property.put("type", "string").put("format", "date-time");
      case INT32 -> property.put("type", "integer").put("format", "int32");
      case INT64 -> property.put("type", "integer").put("format", "int64");
      case BOOL -> property.put("type", "boolean");
      case NUMBER -> property.put("type", "number").put("format", "double");
      case INT_OR_STRING -> property.put("type", "string").put("format", "int-or-string");
    }
  }
}
