package dev.paramecium.deploy.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** An object to be put in the place of one that exists. */
public final class Replacement {

  private Replacement() {}

  /** What the manifest says, in the place of what was there; who it is, and its state, stay. */
  public static ObjectNode of(JsonNode existing, ObjectNode object) {
    ObjectNode next = object.deepCopy();
    ObjectNode metadata = existing.path("metadata").deepCopy();
    for (String field : List.of("labels", "annotations")) {
      JsonNode given = object.path("metadata").path(field);
      if (given.isObject()) {
        metadata.set(field, given);
      }
    }
    next.set("metadata", metadata);
    if (existing.has("status")) {
      next.set("status", existing.path("status"));
    }
    if (existing.path("kind").asText().equals("Service")
        && next.path("spec") instanceof ObjectNode spec) {
      for (String field : List.of("clusterIP", "clusterIPs")) {
        if (!spec.has(field) && existing.path("spec").has(field)) {
          spec.set(field, existing.path("spec").path(field));
        }
      }
    }
    return next;
  }
}
