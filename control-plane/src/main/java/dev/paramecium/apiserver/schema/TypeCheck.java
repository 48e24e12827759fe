package dev.paramecium.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whether JSON is of a type's shape. What cannot be an object of its kind is refused before
 * anything reads it; what its kind does not know is told.
 */
public final class TypeCheck {

  private final List<Mismatch> wrong = new ArrayList<>();
  private final List<String> unknown = new ArrayList<>();
  private boolean hasNullElements;

  /** A value of another type than its field's, in the words of Go's decoder. */
  private record Mismatch(String path, String text) {

    /** The field of the whole object that it is in. */
    String topField() {
      return path.split("[.\\[]", 2)[0];
    }
  }

  private TypeCheck() {}

  /** Looks at a whole object; {@code apiVersion} and {@code kind} may stand in it. */
  public static TypeCheck of(Type.Struct type, JsonNode object) {
    TypeCheck check = new TypeCheck();
    check.walk(simpleName(type), type, "", object);
    check.unknown.removeIf(path -> path.equals("apiVersion") || path.equals("kind"));
    for (String field : new String[] {"apiVersion", "kind"}) {
      JsonNode value = object.path(field);
      if (!value.isMissingNode() && !value.isNull() && !value.isTextual()) {
        check.wrong.addFirst(
            mismatch(simpleName(type), new Type.Scalar(Type.Format.STRING), field, value));
      }
    }
    return check;
  }

  /** The values of another type than their field's, in the words of Go's decoder. */
  public List<String> wrong() {
    return wrong.stream().map(Mismatch::text).toList();
  }

  /** Those in some of the object's own fields, as {@code metadata}. */
  public List<String> wrongIn(Set<String> fields) {
    return wrong.stream()
        .filter(mismatch -> fields.contains(mismatch.topField()))
        .map(Mismatch::text)
        .toList();
  }

  /** The paths of fields that the type does not have, as {@code spec.containers[0].imgae}. */
  public List<String> unknown() {
    return unknown;
  }

  /** Whether a list or a map has null where a value should be. */
  public boolean hasNullElements() {
    return hasNullElements;
  }

  /** Makes null elements of lists and maps their type's zero value, as Go's decoder does. */
  public static void zeroNullElements(Type type, JsonNode value) {
    switch (type) {
      case Type.Any _, Type.Scalar _ -> {}
      case Type.ListOf list -> {
        if (value instanceof ArrayNode array) {
          for (int i = 0; i < array.size(); i++) {
            if (array.get(i).isNull()) {
              array.set(i, zero(list.element()));
            }
            zeroNullElements(list.element(), array.get(i));
          }
        }
      }
      case Type.MapOf map -> {
        if (value instanceof ObjectNode object) {
          for (Map.Entry<String, JsonNode> entry : object.properties()) {
            if (entry.getValue().isNull()) {
              entry.setValue(zero(map.value()));
            }
            zeroNullElements(map.value(), entry.getValue());
          }
        }
      }
      case Type.Struct struct -> {
        if (value instanceof ObjectNode object) {
          for (Map.Entry<String, JsonNode> entry : object.properties()) {
            Type.Field field = struct.field(entry.getKey());
            if (field != null) {
              zeroNullElements(field.type(), entry.getValue());
            }
          }
        }
      }
    }
  }

  private static JsonNode zero(Type type) {
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    return switch (type) {
      case Type.Any _, Type.ListOf _, Type.MapOf _ -> nodes.nullNode();
      case Type.Struct _ -> nodes.objectNode();
      case Type.Scalar scalar ->
          switch (scalar.format()) {
            case STRING, BYTES -> nodes.textNode("");
            case QUANTITY -> nodes.textNode("0");
            case INT32, INT64, NUMBER, INT_OR_STRING -> nodes.numberNode(0);
            case BOOL -> nodes.booleanNode(false);
            case TIME, MICRO_TIME -> nodes.nullNode();
          };
    };
  }

  /** Drops the fields that the type does not have, as Go's decoder does. */
  public static void prune(Type.Struct type, ObjectNode object) {
    for (String name : object.properties().stream().map(Map.Entry::getKey).toList()) {
      Type.Field field = type.field(name);
      if (field != null) {
        prune(field.type(), object.path(name));
      } else if (!type.open() && !name.equals("apiVersion") && !name.equals("kind")) {
        object.remove(name);
      }
    }
  }

  private static void prune(Type type, JsonNode value) {
    switch (type) {
      case Type.Any _, Type.Scalar _ -> {}
      case Type.Struct struct -> {
        if (value instanceof ObjectNode object) {
          prune(struct, object);
        }
      }
      case Type.ListOf list -> value.forEach(element -> prune(list.element(), element));
      case Type.MapOf map -> value.forEach(element -> prune(map.value(), element));
    }
  }

  private void walk(String struct, Type type, String path, JsonNode value) {
    if (value.isNull() || value.isMissingNode()) {
      return;
    }
    if (!fits(type, value)) {
      wrong.add(mismatch(struct, type, path, value));
      return;
    }
    switch (type) {
      case Type.Any _, Type.Scalar _ -> {}
      case Type.ListOf list -> {
        for (int i = 0; i < value.size(); i++) {
          hasNullElements |= value.get(i).isNull();
          walk(struct, list.element(), path + "[" + i + "]", value.get(i));
        }
      }
      case Type.MapOf map -> {
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
          hasNullElements |= entry.getValue().isNull();
          walk(struct, map.value(), path + "." + entry.getKey(), entry.getValue());
        }
      }
      case Type.Struct fields -> {
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
          String at = path.isEmpty() ? entry.getKey() : path + "." + entry.getKey();
          Type.Field field = fields.field(entry.getKey());
          if (field != null) {
            walk(simpleName(fields), field.type(), at, entry.getValue());
          } else if (!fields.open()) {
            unknown.add(at);
          }
        }
      }
    }
  }

  private static boolean fits(Type type, JsonNode value) {
    return switch (type) {
      case Type.Any _ -> true;
      case Type.ListOf _ -> value.isArray();
      case Type.MapOf _, Type.Struct _ -> value.isObject();
      case Type.Scalar scalar ->
          switch (scalar.format()) {
            case STRING, BYTES, TIME, MICRO_TIME -> value.isTextual();
            case INT32 -> value.isIntegralNumber() && value.canConvertToInt();
            case INT64 -> value.isIntegralNumber() && value.canConvertToLong();
            case BOOL -> value.isBoolean();
            case NUMBER -> value.isNumber();
            case QUANTITY -> value.isTextual() || value.isNumber();
            case INT_OR_STRING -> value.isTextual() || value.isIntegralNumber();
          };
    };
  }

  private static Mismatch mismatch(String struct, Type type, String path, JsonNode value) {
    String found =
        switch (value.getNodeType()) {
          case STRING -> "string";
          case NUMBER -> "number" + (type instanceof Type.Scalar ? " " + value : "");
          case BOOLEAN -> "bool";
          case ARRAY -> "array";
          case OBJECT, POJO -> "object";
          case BINARY, MISSING, NULL -> "null";
        };
    String field = path.replaceAll("\\[[0-9]+]", "");
    return new Mismatch(
        path,
        "%s into Go struct field %s.%s of type %s".formatted(found, struct, field, goType(type)));
  }

  private static String goType(Type type) {
    return switch (type) {
      case Type.Any _ -> "map[string]interface {}";
      case Type.ListOf list -> "[]" + goType(list.element());
      case Type.MapOf map -> "map[string]" + goType(map.value());
      case Type.Struct struct -> "v1." + simpleName(struct);
      case Type.Scalar scalar ->
          switch (scalar.format()) {
            case STRING -> "string";
            case INT32 -> "int32";
            case INT64 -> "int64";
            case BOOL -> "bool";
            case NUMBER -> "float64";
            case BYTES -> "[]uint8";
            case TIME, MICRO_TIME -> "v1.Time";
            case QUANTITY -> "resource.Quantity";
            case INT_OR_STRING -> "intstr.IntOrString";
          };
    };
  }

  private static String simpleName(Type.Struct struct) {
    return struct.name().substring(struct.name().lastIndexOf('.') + 1);
  }
}
