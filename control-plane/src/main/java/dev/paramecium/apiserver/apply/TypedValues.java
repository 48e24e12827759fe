package dev.paramecium.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.schema.Type;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Values seen through their types: which fields they have, and how two become one. */
final class TypedValues {

  /** The only key of a list that k8s.io/api gives a default: ports are told apart by it. */
  private static final String PROTOCOL = "protocol";

  private TypedValues() {}

  private static boolean hasFields(Type type, JsonNode value) {
    return switch (type) {
      case Type.Struct struct -> !struct.atomic() && value.isObject();
      case Type.MapOf map -> !map.atomic() && value.isObject();
      case Type.Any _ -> value.isObject();
      case Type.ListOf _, Type.Scalar _ -> false;
    };
  }

  static Type fieldType(Type type, String name) {
    return switch (type) {
      case Type.Struct struct -> {
        Type.Field field = struct.field(name);
        yield field == null ? Type.ANY : field.type();
      }
      case Type.MapOf map -> map.value();
      case Type.Any _, Type.Scalar _, Type.ListOf _ -> Type.ANY;
    };
  }

  /** The element type of a list whose elements are told apart, or null if it is one value. */
  private static Type.@Nullable ListOf associative(Type type, JsonNode value) {
    return type instanceof Type.ListOf list
            && value.isArray()
            && (list.merge().set() || !list.merge().keys().isEmpty())
        ? list
        : null;
  }

  /** An element's place in its list: {@code k:{"name":"a"}} or {@code v:"a"}. */
  private static String key(Type.ListOf list, JsonNode element) {
    if (list.merge().set()) {
      return "v:" + element;
    }
    Map<String, JsonNode> values = new TreeMap<>();
    for (String name : list.merge().keys()) {
      JsonNode value = element.path(name);
      if (!value.isMissingNode() && !value.isNull()) {
        values.put(name, value);
      } else if (name.equals(PROTOCOL)) {
        values.put(name, JsonNodeFactory.instance.textNode("TCP"));
      }
    }
    return "k:" + JsonNodeFactory.instance.objectNode().setAll(values);
  }

  private static @Nullable JsonNode find(Type.ListOf list, @Nullable JsonNode values, String key) {
    if (values != null) {
      for (JsonNode element : values) {
        if (key(list, element).equals(key)) {
          return element;
        }
      }
    }
    return null;
  }

  /**
   * The fields that a value has.
   *
   * @param containers whether maps count as fields themselves, beside what is in them
   */
  static ObjectNode fields(Type type, JsonNode value, boolean containers) {
    ObjectNode set = JsonNodeFactory.instance.objectNode();
    if (hasFields(type, value)) {
      for (Map.Entry<String, JsonNode> field : value.properties()) {
        set.set(
            "f:" + field.getKey(),
            fields(fieldType(type, field.getKey()), field.getValue(), containers));
      }
      if (containers && !set.isEmpty()) {
        set.putObject(FieldSets.SELF);
      }
      return set;
    }
    Type.ListOf list = associative(type, value);
    if (list != null) {
      for (JsonNode element : value) {
        ObjectNode inside =
            list.merge().set()
                ? JsonNodeFactory.instance.objectNode()
                : fields(list.element(), element, containers);
        if (!inside.isEmpty()) {
          inside.putObject(FieldSets.SELF);
        }
        set.set(key(list, element), inside);
      }
      if (containers && !set.isEmpty()) {
        set.putObject(FieldSets.SELF);
      }
    }
    return set;
  }

  /** The fields of {@code after} that {@code before} has not, or has otherwise; null if none. */
  static @Nullable ObjectNode changed(Type type, @Nullable JsonNode before, JsonNode after) {
    if (before == null) {
      return fields(type, after, true);
    }
    if (before.equals(after)) {
      return null;
    }
    ObjectNode set = JsonNodeFactory.instance.objectNode();
    if (hasFields(type, after) && before.isObject()) {
      for (Map.Entry<String, JsonNode> field : after.properties()) {
        put(
            set,
            "f:" + field.getKey(),
            changed(fieldType(type, field.getKey()), before.get(field.getKey()), field.getValue()));
      }
      return set.isEmpty() ? null : set;
    }
    Type.ListOf list = associative(type, after);
    if (list != null && before.isArray()) {
      for (JsonNode element : after) {
        String key = key(list, element);
        put(set, key, changed(list.element(), find(list, before, key), element));
      }
      return set.isEmpty() ? null : set;
    }
    return set;
  }

  private static void put(ObjectNode set, String key, @Nullable ObjectNode value) {
    if (value != null) {
      set.set(key, value);
    }
  }

  /** {@code live} with everything that {@code wanted} says. */
  static JsonNode merge(Type type, @Nullable JsonNode live, JsonNode wanted) {
    if (hasFields(type, wanted) && live instanceof ObjectNode object) {
      ObjectNode merged = object.deepCopy();
      for (Map.Entry<String, JsonNode> field : wanted.properties()) {
        if (field.getValue().isNull()) {
          merged.remove(field.getKey());
        } else {
          merged.set(
              field.getKey(),
              merge(fieldType(type, field.getKey()), object.get(field.getKey()), field.getValue()));
        }
      }
      return merged;
    }
    Type.ListOf list = associative(type, wanted);
    if (list != null && live instanceof ArrayNode) {
      ArrayNode merged = JsonNodeFactory.instance.arrayNode();
      for (JsonNode element : live) {
        JsonNode change = find(list, wanted, key(list, element));
        merged.add(change == null ? element.deepCopy() : merge(list.element(), element, change));
      }
      for (JsonNode element : wanted) {
        if (find(list, live, key(list, element)) == null) {
          merged.add(element.deepCopy());
        }
      }
      return merged;
    }
    return wanted.deepCopy();
  }

  /** Takes the members of a set out of a value. */
  static void remove(Type type, JsonNode value, JsonNode set) {
    if (value instanceof ObjectNode object && hasFields(type, value)) {
      for (String name : List.copyOf(names(object))) {
        JsonNode inside = set.path("f:" + name);
        if (inside.isMissingNode()) {
          continue;
        }
        remove(fieldType(type, name), object.get(name), inside);
        boolean emptied = object.get(name).isContainerNode() && object.get(name).isEmpty();
        if (inside.isEmpty() || inside.has(FieldSets.SELF) && emptied) {
          object.remove(name);
        }
      }
      return;
    }
    Type.ListOf list = associative(type, value);
    if (list != null && value instanceof ArrayNode array) {
      for (int i = array.size() - 1; i >= 0; i--) {
        JsonNode inside = set.path(key(list, array.get(i)));
        if (FieldSets.isMember(inside.isMissingNode() ? null : inside)) {
          array.remove(i);
        } else if (!inside.isMissingNode()) {
          remove(list.element(), array.get(i), inside);
        }
      }
    }
  }

  private static List<String> names(ObjectNode object) {
    return object.properties().stream().map(Map.Entry::getKey).toList();
  }
}
