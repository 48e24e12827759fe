package dev.paramecium.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The types that a CustomResourceDefinition's {@code openAPIV3Schema} describes. */
public final class CustomTypes {

  private CustomTypes() {}

  /**
   * A custom kind's type.
   *
   * @param name of its definition in OpenAPI documents
   */
  public static Type.Struct of(String name, JsonNode schema) {
    Type.Struct struct = struct(name, schema);
    struct.add(new Type.Field("metadata", 0, BuiltInTypes.objectMeta(), false, false, ""));
    return struct;
  }

  private static Type.Struct struct(String name, JsonNode schema) {
    boolean atomic = schema.path("x-kubernetes-map-type").asText().equals("atomic");
    Type.Struct struct =
        new Type.Struct(
            name,
            atomic,
            schema.path("x-kubernetes-preserve-unknown-fields").asBoolean(),
            schema.path("description").asText());
    List<String> required = new ArrayList<>();
    schema.path("required").forEach(field -> required.add(field.asText()));
    for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
      String field = property.getKey();
      struct.add(
          new Type.Field(
              field,
              0,
              type(property.getValue()),
              required.contains(field),
              false,
              property.getValue().path("description").asText()));
    }
    return struct;
  }

  private static Type type(JsonNode schema) {
    if (schema.path("x-kubernetes-int-or-string").asBoolean()) {
      return new Type.Scalar(Type.Format.INT_OR_STRING);
    }
    return switch (schema.path("type").asText()) {
      case "string" -> new Type.Scalar(Type.Format.STRING);
      case "integer" -> new Type.Scalar(Type.Format.INT64);
      case "number" -> new Type.Scalar(Type.Format.NUMBER);
      case "boolean" -> new Type.Scalar(Type.Format.BOOL);
      case "array" -> new Type.ListOf(type(schema.path("items")), merge(schema));
      case "object" -> {
        if (schema.path("x-kubernetes-embedded-resource").asBoolean()) {
          yield Type.ANY;
        }
        if (schema.path("additionalProperties").isObject()) {
          yield new Type.MapOf(
              type(schema.path("additionalProperties")),
              schema.path("x-kubernetes-map-type").asText().equals("atomic"));
        }
        boolean anything =
            schema.path("additionalProperties").asBoolean()
                || schema.path("x-kubernetes-preserve-unknown-fields").asBoolean()
                    && schema.path("properties").isEmpty();
        yield anything ? Type.ANY : struct("", schema);
      }
      default -> Type.ANY;
    };
  }

  private static Type.Merge merge(JsonNode schema) {
    List<String> keys = new ArrayList<>();
    schema.path("x-kubernetes-list-map-keys").forEach(key -> keys.add(key.asText()));
    return switch (schema.path("x-kubernetes-list-type").asText()) {
      case "set" -> new Type.Merge("", List.of(), true);
      case "map" -> new Type.Merge("", List.copyOf(keys), false);
      default -> Type.Merge.ATOMIC;
    };
  }
}
