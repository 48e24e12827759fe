package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.schema.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Kubernetes' strategic merge patch: lists whose elements have a key merge by it; directives in the
 * patch replace, delete, keep and order ({@code apimachinery/pkg/util/strategicpatch}).
 */
final class StrategicMerge {

  private static final String DIRECTIVE = "$patch";
  private static final String ORDER = "$setElementOrder/";
  private static final String DELETE_VALUES = "$deleteFromPrimitiveList/";
  private static final String RETAIN = "$retainKeys";

  private StrategicMerge() {}

  /** A patched copy of {@code target}. */
  static JsonNode apply(Type type, @Nullable JsonNode target, JsonNode patch)
      throws StatusException {
    if (!(patch instanceof ObjectNode changes)) {
      return patch.deepCopy();
    }
    switch (changes.path(DIRECTIVE).asText()) {
      case "replace" -> {
        ObjectNode replacement = changes.deepCopy();
        replacement.remove(DIRECTIVE);
        return replacement;
      }
      case "delete" -> {
        return JsonNodeFactory.instance.objectNode();
      }
      case "", "merge" -> {}
      default ->
          throw StatusException.badRequest(
              "the $patch directive \""
                  + changes.path(DIRECTIVE).asText()
                  + "\" is not one of replace, merge and delete");
    }
    ObjectNode result =
        target instanceof ObjectNode object
            ? object.deepCopy()
            : JsonNodeFactory.instance.objectNode();
    if (changes.get(RETAIN) instanceof ArrayNode kept) {
      List<String> names = CoreColumns.texts(kept);
      List<String> all = new ArrayList<>();
      result.fieldNames().forEachRemaining(all::add);
      all.removeAll(names);
      result.remove(all);
    }
    for (Map.Entry<String, JsonNode> field : changes.properties()) {
      String name = field.getKey();
      if (name.startsWith(DELETE_VALUES)) {
        removeValues(result, name.substring(DELETE_VALUES.length()), field.getValue());
      } else if (!name.startsWith("$")) {
        change(result, name, typeOf(type, name), field.getValue());
      }
    }
    for (Map.Entry<String, JsonNode> field : changes.properties()) {
      if (field.getKey().startsWith(ORDER)) {
        String name = field.getKey().substring(ORDER.length());
        order(result, name, typeOf(type, name), field.getValue());
      }
    }
    return result;
  }

  private static Type typeOf(Type type, String name) {
    return switch (type) {
      case Type.Struct struct -> {
        Type.Field field = struct.field(name);
        yield field == null ? Type.ANY : field.type();
      }
      case Type.MapOf map -> map.value();
      case Type.Any _, Type.Scalar _, Type.ListOf _ -> Type.ANY;
    };
  }

  private static void change(ObjectNode result, String name, Type type, JsonNode change)
      throws StatusException {
    if (change.isNull() || change.path(DIRECTIVE).asText().equals("delete")) {
      result.remove(name);
    } else if (change instanceof ArrayNode list && type instanceof Type.ListOf of) {
      if (of.merge().set()) {
        result.set(name, union(result.get(name), list));
      } else if (!of.merge().strategicKey().isEmpty()) {
        result.set(
            name, mergeList(of.element(), of.merge().strategicKey(), result.get(name), list));
      } else {
        result.set(name, list.deepCopy());
      }
    } else {
      result.set(name, apply(type, result.get(name), change));
    }
  }

  private static void removeValues(ObjectNode object, String name, JsonNode values) {
    if (object.get(name) instanceof ArrayNode list) {
      ArrayNode kept = JsonNodeFactory.instance.arrayNode();
      for (JsonNode element : list) {
        if (!contains(values, element)) {
          kept.add(element);
        }
      }
      object.set(name, kept);
    }
  }

  private static boolean contains(JsonNode list, JsonNode value) {
    for (JsonNode element : list) {
      if (element.equals(value)) {
        return true;
      }
    }
    return false;
  }

  private static ArrayNode union(@Nullable JsonNode target, ArrayNode additions) {
    ArrayNode result =
        target instanceof ArrayNode list ? list.deepCopy() : JsonNodeFactory.instance.arrayNode();
    for (JsonNode addition : additions) {
      if (!contains(result, addition)) {
        result.add(addition);
      }
    }
    return result;
  }

  private static ArrayNode mergeList(
      Type element, String key, @Nullable JsonNode target, ArrayNode changes)
      throws StatusException {
    ArrayNode result =
        target instanceof ArrayNode list ? list.deepCopy() : JsonNodeFactory.instance.arrayNode();
    for (JsonNode change : changes) {
      String directive = change.path(DIRECTIVE).asText();
      if (directive.equals("replace") && change.size() == 1) {
        result.removeAll();
        continue;
      }
      if (change.path(key).isMissingNode()) {
        throw StatusException.badRequest(
            "map: " + change + " does not contain declared merge key: " + key);
      }
      int at = indexOf(result, key, change.path(key));
      if (directive.equals("delete")) {
        if (at >= 0) {
          result.remove(at);
        }
      } else if (at >= 0) {
        result.set(at, apply(element, result.get(at), change));
      } else {
        result.add(apply(element, null, change));
      }
    }
    return result;
  }

  private static int indexOf(ArrayNode list, String key, JsonNode value) {
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i).path(key).equals(value)) {
        return i;
      }
    }
    return -1;
  }

  /** Elements that the patch orders stand in its order; others stay behind their neighbours. */
  private static void order(ObjectNode result, String name, Type type, JsonNode order) {
    if (!(result.get(name) instanceof ArrayNode list)) {
      return;
    }
    String key =
        type instanceof Type.ListOf of && !of.merge().set() ? of.merge().strategicKey() : "";
    List<JsonNode> ordered = new ArrayList<>();
    for (JsonNode wanted : order) {
      for (JsonNode element : list) {
        boolean same =
            key.isEmpty() ? element.equals(wanted) : element.path(key).equals(wanted.path(key));
        if (same) {
          ordered.add(element);
        }
      }
    }
    ArrayNode arranged = JsonNodeFactory.instance.arrayNode();
    int next = 0;
    for (JsonNode element : list) {
      arranged.add(
          ordered.contains(element) && next < ordered.size() ? ordered.get(next++) : element);
    }
    result.set(name, arranged);
  }
}
