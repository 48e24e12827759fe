package dev.paramecium.apiserver.schema;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a field may hold. */
public sealed interface Type {

  /** JSON of any shape, which merges as it is. */
  Type ANY = new Any();

  /** JSON of any shape. */
  record Any() implements Type {}

  /** A single value. */
  record Scalar(Format format) implements Type {}

  /** The scalars of {@code k8s.io/api}. */
  enum Format {
    STRING,
    INT32,
    INT64,
    BOOL,
    NUMBER,
    BYTES,
    TIME,
    MICRO_TIME,
    QUANTITY,
    INT_OR_STRING
  }

  /** A map from text. */
  record MapOf(Type value, boolean atomic) implements Type {}

  /** A list and how two of them become one. */
  record ListOf(Type element, Merge merge) implements Type {}

  /**
   * How the elements of a list are told apart.
   *
   * @param strategicKey of strategic merge patches, empty if they replace the list
   * @param keys of server-side apply ({@code x-kubernetes-list-map-keys}), empty if none
   * @param set whether the elements are values of a set
   */
  record Merge(String strategicKey, List<String> keys, boolean set) {
    public static final Merge ATOMIC = new Merge("", List.of(), false);
  }

  /**
   * A field of a struct.
   *
   * @param number in protobuf, 0 if the struct has no such form
   * @param retainKeys whether a strategic merge patch may name the keys that stay
   * @param description what it is, for people; may be empty
   */
  record Field(
      String name,
      int number,
      Type type,
      boolean required,
      boolean retainKeys,
      String description) {}

  /** Fields by name; structs may contain themselves. */
  final class Struct implements Type {
    private final String name;
    private final boolean atomic;
    private final boolean open;
    private final String description;
    private final Map<String, Field> fields = new LinkedHashMap<>();
    private final List<Field> embedded = new ArrayList<>();

    /**
     * A struct without fields yet.
     *
     * @param name as OpenAPI's definitions are named, {@code io.k8s.api.core.v1.Pod}
     * @param atomic whether server-side apply sees it as one field
     * @param open whether it keeps fields that it does not know
     * @param description what it is, for people; may be empty
     */
    public Struct(String name, boolean atomic, boolean open, String description) {
      this.name = name;
      this.atomic = atomic;
      this.open = open;
      this.description = description;
    }

    void add(Field field) {
      fields.put(field.name(), field);
    }

    /** Puts another struct's fields in this one; in protobuf they are a message of their own. */
    void embed(Field field) {
      embedded.add(field);
    }

    public String name() {
      return name;
    }

    public boolean atomic() {
      return atomic;
    }

    public boolean open() {
      return open;
    }

    public String description() {
      return description;
    }

    /** Its own fields and those of the structs in it, by name. */
    public Map<String, Field> fields() {
      if (embedded.isEmpty()) {
        return fields;
      }
      Map<String, Field> all = new LinkedHashMap<>();
      for (Field other : embedded) {
        if (other.type() instanceof Struct struct) {
          all.putAll(struct.fields());
        }
      }
      all.putAll(fields);
      return all;
    }

    public @Nullable Field field(String name) {
      Field own = fields.get(name);
      if (own != null) {
        return own;
      }
      for (Field other : embedded) {
        if (other.type() instanceof Struct struct && struct.field(name) != null) {
          return struct.field(name);
        }
      }
      return null;
    }

    /** What stands under a number in protobuf; an embedded struct has an empty name. */
    public @Nullable Field numbered(int number) {
      for (Field other : embedded) {
        if (other.number() == number) {
          return other;
        }
      }
      for (Field field : fields.values()) {
        if (field.number() == number) {
          return field;
        }
      }
      return null;
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
