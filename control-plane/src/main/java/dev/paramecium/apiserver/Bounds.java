package dev.paramecium.apiserver;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;

/**
 * How large and how deep an object may be. Everything that handles one walks it recursively and
 * sends it to other members in one frame, so both are checked once, at the door.
 */
public final class Bounds {

  /** Levels of lists and maps; the deepest type in {@code k8s.io/api} has about twenty. */
  public static final int MAX_DEPTH = 100;

  /** Bytes of an object as JSON: what etcd takes ({@code --max-request-bytes}). */
  static final int MAX_BYTES = 1536 * 1024;

  private Bounds() {}

  /** Reads JSON that strangers wrote: not deeper than {@link #MAX_DEPTH}. */
  public static ObjectMapper reader() {
    return new ObjectMapper(
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build());
  }

  /** Refuses what cannot be stored, as etcd would, or walked. */
  static void check(JsonNode object) throws StatusException {
    if (bytes(object, 0) > MAX_BYTES) {
      throw StatusException.tooLarge();
    }
  }

  /** About what the value takes as JSON; text counts one byte a character. */
  static long bytes(JsonNode value) throws StatusException {
    return bytes(value, 0);
  }

  private static long bytes(JsonNode value, int depth) throws StatusException {
    if (depth > MAX_DEPTH) {
      throw StatusException.badRequest(
          "the object is nested more than " + MAX_DEPTH + " levels deep");
    }
    if (value.isTextual()) {
      return value.textValue().length() + 3L;
    }
    long sum = 5;
    for (Map.Entry<String, JsonNode> field : value.properties()) {
      sum += field.getKey().length() + 3 + bytes(field.getValue(), depth + 1);
    }
    if (value.isArray()) {
      for (JsonNode element : value) {
        sum += bytes(element, depth + 1);
      }
    }
    return sum;
  }
}
