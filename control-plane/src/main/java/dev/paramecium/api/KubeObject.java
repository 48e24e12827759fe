package dev.paramecium.api;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A Kubernetes object as a JSON tree. Whoever holds one never changes its tree: {@link #copy()}
 * first.
 *
 * @param json the whole object, {@code apiVersion} and {@code kind} included
 */
public record KubeObject(ObjectNode json) {

  /** Those that were asked for before; they are literals of the program, nearly all. */
  private static final Map<String, JsonPointer> POINTERS = new ConcurrentHashMap<>();

  private static final int KEPT_POINTERS = 1024;

  private static JsonPointer pointer(String text) {
    JsonPointer known = POINTERS.get(text);
    if (known == null) {
      known = JsonPointer.compile(text);
      if (POINTERS.size() < KEPT_POINTERS) {
        POINTERS.put(text, known);
      }
    }
    return known;
  }

  public String apiVersion() {
    return json.path("apiVersion").asText();
  }

  public String kind() {
    return json.path("kind").asText();
  }

  /** Empty for cluster-scoped objects. */
  public String namespace() {
    return json.path("metadata").path("namespace").asText();
  }

  public String name() {
    return json.path("metadata").path("name").asText();
  }

  public String uid() {
    return json.path("metadata").path("uid").asText();
  }

  /** The journal's sequence number of the last write, 0 if never stored. */
  public long resourceVersion() {
    return json.path("metadata").path("resourceVersion").asLong();
  }

  public Map<String, String> labels() {
    Map<String, String> labels = new TreeMap<>();
    json.path("metadata")
        .path("labels")
        .properties()
        .forEach(e -> labels.put(e.getKey(), e.getValue().asText()));
    return labels;
  }

  /**
   * The node at a JSON pointer such as {@code /spec/nodeName}; a missing node where there is none.
   */
  public JsonNode at(String pointer) {
    return json.at(pointer(pointer));
  }

  /** The text at a JSON pointer, empty where there is none. */
  public String text(String pointer) {
    return json.at(pointer(pointer)).asText();
  }

  public KubeObject copy() {
    return new KubeObject(json.deepCopy());
  }
}
