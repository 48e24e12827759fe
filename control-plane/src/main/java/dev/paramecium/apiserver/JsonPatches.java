package dev.paramecium.apiserver;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.apiserver.schema.Type;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * The patch types that an API server takes: JSON merge patch (RFC 7386), JSON patch (RFC 6902) and
 * Kubernetes' strategic merge patch.
 */
final class JsonPatches {

  private static final ObjectMapper JSON = Bounds.reader();

  /** Operations of one JSON patch ({@code maxJSONPatchOperations} in {@code k8s.io/apiserver}). */
  private static final int MAX_OPERATIONS = 10_000;

  private JsonPatches() {}

  /**
   * A patched copy.
   *
   * @param type the Content-Type of the patch
   * @param schema what lists of the target merge by
   */
  static ObjectNode apply(String type, Type schema, ObjectNode target, String body)
      throws StatusException {
    JsonNode patch = parse(body);
    JsonNode result =
        switch (type) {
          case "application/merge-patch+json" -> merge(target, patch);
          case "application/strategic-merge-patch+json" ->
              StrategicMerge.apply(schema, target, patch);
          case "application/json-patch+json" -> operations(target, patch);
          default -> throw StatusException.unsupportedMediaType(type);
        };
    if (result instanceof ObjectNode object) {
      return object;
    }
    throw StatusException.badRequest(
        "the patch turns the object into something that is not an object");
  }

  /** The configuration of a server-side apply, in YAML or JSON. */
  static ObjectNode configuration(String body) throws StatusException {
    try {
      if (YamlText.parse(body) instanceof ObjectNode object) {
        return object;
      }
    } catch (YAMLException e) {
      throw StatusException.badRequest("error decoding YAML: " + e.getMessage());
    }
    throw StatusException.badRequest("error decoding YAML: the configuration is not an object");
  }

  private static JsonNode parse(String body) throws StatusException {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw StatusException.badRequest("error decoding patch: " + e.getOriginalMessage());
    }
  }

  /** RFC 7386, section 2. */
  static JsonNode merge(@Nullable JsonNode target, JsonNode patch) {
    if (!(patch instanceof ObjectNode changes)) {
      return patch.deepCopy();
    }
    ObjectNode result =
        target instanceof ObjectNode object ? object.deepCopy() : JSON.createObjectNode();
    changes
        .properties()
        .forEach(
            field -> {
              if (field.getValue().isNull()) {
                result.remove(field.getKey());
              } else {
                result.set(field.getKey(), merge(result.get(field.getKey()), field.getValue()));
              }
            });
    return result;
  }

  /** RFC 6902. */
  private static JsonNode operations(ObjectNode target, JsonNode patch) throws StatusException {
    if (!patch.isArray()) {
      throw StatusException.badRequest("a JSON patch must be a list of operations");
    }
    if (patch.size() > MAX_OPERATIONS) {
      throw StatusException.tooLarge(
          "The allowed maximum operations in a JSON patch is "
              + MAX_OPERATIONS
              + ", got "
              + patch.size());
    }
    JsonNode result = target.deepCopy();
    long copied = 0;
    for (JsonNode operation : patch) {
      String path = operation.path("path").asText();
      switch (operation.path("op").asText()) {
        case "add" -> put(result, path, value(operation), true);
        case "replace" -> {
          at(result, path);
          put(result, path, value(operation), false);
        }
        case "remove" -> remove(result, path);
        case "test" -> {
          if (!at(result, path).equals(operation.path("value"))) {
            throw StatusException.invalidPatch(
                path, "testing value " + path + " failed: test failed");
          }
        }
        case "copy" -> {
          JsonNode original = at(result, operation.path("from").asText());
          // A few copies of copies would fill any memory.
          copied += Bounds.bytes(original);
          if (copied > Bounds.MAX_BYTES) {
            throw StatusException.tooLarge(
                "the copies of a JSON patch may come to "
                    + Bounds.MAX_BYTES
                    + " bytes, these to "
                    + copied);
          }
          put(result, path, original.deepCopy(), true);
        }
        case "move" -> {
          JsonNode moved = at(result, operation.path("from").asText()).deepCopy();
          remove(result, operation.path("from").asText());
          put(result, path, moved, true);
        }
        default ->
            throw StatusException.badRequest(
                "JSON patch operation \"" + operation.path("op").asText() + "\" is not known");
      }
    }
    return result;
  }

  private static JsonNode value(JsonNode operation) throws StatusException {
    if (!operation.has("value")) {
      throw StatusException.badRequest(
          "JSON patch operation \"" + operation.path("op").asText() + "\" names no value");
    }
    return operation.path("value");
  }

  private static JsonNode at(JsonNode root, String path) throws StatusException {
    JsonNode found = pointer(path).length() == 0 ? root : root.at(pointer(path));
    if (found instanceof MissingNode) {
      throw StatusException.invalidPatch(
          path, "the JSON patch names a path that does not exist: " + path);
    }
    return found;
  }

  /** The object itself can be neither replaced nor removed: only what is in it. */
  private static JsonPointer fieldPointer(String path) throws StatusException {
    if (path.isEmpty()) {
      throw StatusException.badRequest("a JSON patch must name a field: its path is empty");
    }
    return pointer(path);
  }

  private static JsonPointer pointer(String path) throws StatusException {
    try {
      JsonPointer pointer = JsonPointer.compile(path);
      int depth = 0;
      for (JsonPointer rest = pointer; rest.tail() != null; rest = rest.tail()) {
        if (++depth > Bounds.MAX_DEPTH) {
          throw StatusException.badRequest(
              "a JSON pointer has more than " + Bounds.MAX_DEPTH + " levels");
        }
      }
      return pointer;
    } catch (IllegalArgumentException e) {
      throw StatusException.badRequest("\"" + path + "\" is not a JSON pointer");
    }
  }

  private static void put(JsonNode root, String path, JsonNode value, boolean insert)
      throws StatusException {
    JsonPointer pointer = fieldPointer(path);
    JsonNode parent = at(root, pointer.head() == null ? "" : pointer.head().toString());
    String name = pointer.last().getMatchingProperty();
    if (parent instanceof ObjectNode object) {
      object.set(name, value);
    } else if (parent instanceof ArrayNode list) {
      if (name.equals("-")) {
        list.add(value);
        return;
      }
      int index = pointer.last().getMatchingIndex();
      if (index < 0 || index > list.size() || (!insert && index == list.size())) {
        throw StatusException.invalidPatch(
            path, "the JSON patch names an index out of range: " + path);
      }
      if (insert) {
        list.insert(index, value);
      } else {
        list.set(index, value);
      }
    } else {
      throw StatusException.invalidPatch(
          path, "the JSON patch names a path inside a value: " + path);
    }
  }

  private static void remove(JsonNode root, String path) throws StatusException {
    at(root, path);
    JsonPointer pointer = fieldPointer(path);
    JsonNode parent = at(root, pointer.head() == null ? "" : pointer.head().toString());
    if (parent instanceof ObjectNode object) {
      object.remove(pointer.last().getMatchingProperty());
    } else if (parent instanceof ArrayNode list) {
      list.remove(pointer.last().getMatchingIndex());
    }
  }
}
