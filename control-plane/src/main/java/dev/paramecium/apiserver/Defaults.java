package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.Consumer;

/** Filling in fields that a manifest left out, or left at null. */
final class Defaults {

  private Defaults() {}

  static boolean lacks(JsonNode object, String field) {
    return object.path(field).isMissingNode() || object.path(field).isNull();
  }

  /** Also an empty text counts as left out. */
  static void text(ObjectNode object, String field, String value) {
    if (lacks(object, field) || object.path(field).asText().isEmpty() && !isTree(object, field)) {
      object.put(field, value);
    }
  }

  private static boolean isTree(ObjectNode object, String field) {
    return object.path(field).isContainerNode();
  }

  /**
   * A number. An int, as Jackson reads what fits into one: a long of the same value would not be
   * equal to it, and an object that is sent back as it was read would count as changed.
   */
  static void number(ObjectNode object, String field, int value) {
    if (lacks(object, field)) {
      object.put(field, value);
    }
  }

  /** As {@link #number}, for which 0 is no value of its own. */
  static void positive(ObjectNode object, String field, int value) {
    if (lacks(object, field) || object.path(field).isNumber() && object.path(field).asLong() == 0) {
      object.put(field, value);
    }
  }

  static void flag(ObjectNode object, String field, boolean value) {
    if (lacks(object, field)) {
      object.put(field, value);
    }
  }

  static ObjectNode object(ObjectNode parent, String field) {
    return parent.get(field) instanceof ObjectNode there ? there : parent.putObject(field);
  }

  /** Runs {@code action} if the field holds an object. */
  static void ifObject(JsonNode parent, String field, Consumer<ObjectNode> action) {
    if (parent.path(field) instanceof ObjectNode there) {
      action.accept(there);
    }
  }

  static void each(JsonNode parent, String field, Consumer<ObjectNode> action) {
    for (JsonNode element : parent.path(field)) {
      if (element instanceof ObjectNode object) {
        action.accept(object);
      }
    }
  }
}
