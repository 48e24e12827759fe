package dev.paramecium.container.process.http;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Header fields in the order in which they came or will go; names compare without case. */
public final class Headers {

  /** One field. */
  public record Field(String name, String value) {}

  private final List<Field> fields = new ArrayList<>();

  /** Fields from name, value, name, value, … */
  public static Headers of(String... namesAndValues) {
    Headers headers = new Headers();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      headers.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return headers;
  }

  public Headers add(String name, String value) {
    fields.add(new Field(name, value));
    return this;
  }

  public Headers addAll(Headers other) {
    fields.addAll(other.fields);
    return this;
  }

  /** Removes all fields of a name. */
  public Headers remove(String name) {
    fields.removeIf(field -> field.name().equalsIgnoreCase(name));
    return this;
  }

  /** The first value of a field, or null. */
  public @Nullable String get(String name) {
    for (Field field : fields) {
      if (field.name().equalsIgnoreCase(name)) {
        return field.value();
      }
    }
    return null;
  }

  public String get(String name, String otherwise) {
    String value = get(name);
    return value == null ? otherwise : value;
  }

  public boolean contains(String name) {
    return get(name) != null;
  }

  /** Whether a comma-separated field holds {@code token}, without case. */
  public boolean hasToken(String name, String token) {
    for (Field field : fields) {
      if (field.name().equalsIgnoreCase(name)) {
        for (String part : field.value().split(",", -1)) {
          if (part.strip().equalsIgnoreCase(token)) {
            return true;
          }
        }
      }
    }
    return false;
  }

  public List<Field> fields() {
    return List.copyOf(fields);
  }

  /** As on the wire, each field with its CR LF. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Field field : fields) {
      text.append(field.name()).append(": ").append(field.value()).append("\r\n");
    }
    return text.toString();
  }
}
