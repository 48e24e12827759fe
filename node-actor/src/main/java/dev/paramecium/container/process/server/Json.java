package dev.paramecium.container.process.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** JSON as Python's {@code json.dumps} writes it: keys sorted, all but ASCII escaped. */
final class Json {

  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private Json() {}

  /** Parses, or answers null if the text is not JSON. */
  static @Nullable JsonNode parse(String text) {
    try {
      JsonNode node = MAPPER.readTree(text);
      return node == null || node.isMissingNode() ? null : node;
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  /** As Flask 1 pretty-prints: two spaces, sorted keys, and a blank after each comma. */
  static String pretty(Object value) {
    StringBuilder text = new StringBuilder();
    write(text, value, 2, 0);
    return text.toString();
  }

  /** {@code json.dumps(value)}, on one line. */
  static String compact(Object value) {
    StringBuilder text = new StringBuilder();
    write(text, value, 0, 0);
    return text.toString();
  }

  /** Go's {@code json.Marshal} of lists of texts by name: no blanks. */
  static String go(Map<String, List<String>> value) {
    StringBuilder text = new StringBuilder("{");
    new TreeMap<>(value)
        .forEach(
            (key, items) -> {
              text.append(text.length() > 1 ? "," : "");
              quote(text, key);
              text.append(":[");
              for (int i = 0; i < items.size(); i++) {
                text.append(i > 0 ? "," : "");
                quote(text, items.get(i));
              }
              text.append(']');
            });
    return text.append('}').toString();
  }

  private static void write(StringBuilder text, @Nullable Object value, int indent, int depth) {
    switch (value) {
      case null -> text.append("null");
      case String string -> quote(text, string);
      case Map<?, ?> map -> object(text, map, indent, depth);
      case List<?> list -> array(text, list.iterator(), indent, depth);
      case JsonNode node when node.isTextual() -> quote(text, node.textValue());
      case JsonNode node when node.isArray() -> array(text, node.elements(), indent, depth);
      case JsonNode node when node.isObject() -> {
        Map<String, JsonNode> fields = new TreeMap<>();
        node.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
        object(text, fields, indent, depth);
      }
      default -> text.append(value);
    }
  }

  private static void object(StringBuilder text, Map<?, ?> map, int indent, int depth) {
    Map<Object, Object> sorted = indent > 0 ? new TreeMap<>(map) : null;
    Iterator<? extends Map.Entry<?, ?>> entries =
        (sorted == null ? map : sorted).entrySet().iterator();
    if (!entries.hasNext()) {
      text.append("{}");
      return;
    }
    text.append('{');
    while (entries.hasNext()) {
      Map.Entry<?, ?> entry = entries.next();
      newline(text, indent, depth + 1);
      quote(text, String.valueOf(entry.getKey()));
      text.append(": ");
      write(text, entry.getValue(), indent, depth + 1);
      if (entries.hasNext()) {
        text.append(", ");
      }
    }
    newline(text, indent, depth);
    text.append('}');
  }

  private static void array(StringBuilder text, Iterator<?> items, int indent, int depth) {
    if (!items.hasNext()) {
      text.append("[]");
      return;
    }
    text.append('[');
    while (items.hasNext()) {
      newline(text, indent, depth + 1);
      write(text, items.next(), indent, depth + 1);
      if (items.hasNext()) {
        text.append(", ");
      }
    }
    newline(text, indent, depth);
    text.append(']');
  }

  private static void newline(StringBuilder text, int indent, int depth) {
    if (indent > 0) {
      text.append('\n').repeat(" ", indent * depth);
    }
  }

  private static void quote(StringBuilder text, String string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\b' -> text.append("\\b");
        case '\f' -> text.append("\\f");
        default -> {
          if (c >= ' ' && c < 127) {
            text.append(c);
          } else {
            text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          }
        }
      }
    }
    text.append('"');
  }
}
