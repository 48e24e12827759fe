package dev.paramecium.controller.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * A short name for a pod template: FNV-1a of the template, written with the letters that Kubernetes
 * uses, which spell no words ({@code pkg/controller/controller_utils.go} ComputeHash, {@code
 * util/rand} SafeEncodeString). Its value differs from Kubernetes', which hashes Go's own printing.
 */
final class PodTemplateHash {

  /** The label that ReplicaSets and their pods carry it in. */
  static final String LABEL = "pod-template-hash";

  private static final String ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

  private PodTemplateHash() {}

  /**
   * The hash.
   *
   * @param collisions how often a name turned out to be taken; another count is another hash
   */
  static String of(JsonNode template, int collisions) {
    int hash = 0x811c9dc5;
    String text = sorted(template) + (collisions == 0 ? "" : "#" + collisions);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * 0x01000193;
    }
    StringBuilder out = new StringBuilder();
    for (char digit : Integer.toUnsignedString(hash).toCharArray()) {
      out.append(ALPHABET.charAt(digit % ALPHABET.length()));
    }
    return out.toString();
  }

  /**
   * The hash of a workload's template, under which no object of {@code type} has the name {@code
   * WORKLOAD-HASH} yet.
   */
  static String unused(KubeObject workload, ResourceType type, ObjectCache cache) {
    JsonNode template = workload.at("/spec/template");
    int collisions = 0;
    String hash = of(template, collisions);
    while (cache.get(type, workload.namespace(), workload.name() + "-" + hash) != null) {
      hash = of(template, ++collisions);
    }
    return hash;
  }

  /** Whether two templates are the same but for the label that holds their hash. */
  static boolean isSame(JsonNode one, JsonNode other) {
    return without(one).equals(without(other));
  }

  private static JsonNode without(JsonNode template) {
    JsonNode copy = sorted(template);
    if (copy.path("metadata").path("labels") instanceof ObjectNode labels) {
      labels.remove(LABEL);
    }
    if (copy.path("metadata") instanceof ObjectNode metadata) {
      metadata.remove("creationTimestamp");
    }
    return copy;
  }

  /** Two objects with equal fields in another order are one template. */
  private static JsonNode sorted(JsonNode json) {
    return switch (json) {
      case ObjectNode object -> {
        ObjectNode copy = JsonNodeFactory.instance.objectNode();
        Map<String, JsonNode> fields = new TreeMap<>();
        object.properties().forEach(field -> fields.put(field.getKey(), sorted(field.getValue())));
        fields.forEach(copy::set);
        yield copy;
      }
      case ArrayNode array -> {
        ArrayNode copy = JsonNodeFactory.instance.arrayNode();
        array.forEach(element -> copy.add(sorted(element)));
        yield copy;
      }
      default -> json;
    };
  }
}
