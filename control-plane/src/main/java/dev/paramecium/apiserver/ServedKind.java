package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.schema.BuiltInTypes;
import dev.paramecium.apiserver.schema.Type;
import java.time.Instant;
import java.util.List;

/**
 * What the API server knows of one kind of object: its names, what it fills in, what it refuses,
 * how it prints.
 *
 * @param schema the fields of its objects
 * @param hasStatus whether status is a subresource, which its own writer finishes
 * @param scale where {@code autoscaling/v1 Scale} finds its numbers; {@link Scale#NONE} if it has
 *     no such subresource
 */
public record ServedKind(
    ResourceType type,
    Type.Struct schema,
    String singular,
    List<String> shortNames,
    List<String> categories,
    boolean hasStatus,
    Scale scale,
    Rules rules,
    List<Column> columns) {

  private static final Rules NO_RULES = new Rules() {};

  /** A kind without status, short names and rules of its own; {@code with…} adds them. */
  static ServedKind of(ResourceType type) {
    return of(
        type,
        BuiltInTypes.of(type.group(), type.kind())
            .orElseThrow(
                () -> new IllegalStateException("kubernetes.schema has no " + type.kind())));
  }

  /** A kind of which only the fields are known; {@code with…} adds the rest. */
  static ServedKind of(ResourceType type, Type.Struct schema) {
    return new ServedKind(
        type,
        schema,
        type.kind().toLowerCase(java.util.Locale.ROOT),
        List.of(),
        List.of(),
        false,
        Scale.NONE,
        NO_RULES,
        List.of(Columns.NAME, Columns.AGE));
  }

  ServedKind withSingular(String name) {
    return new ServedKind(
        type, schema, name, shortNames, categories, hasStatus, scale, rules, columns);
  }

  ServedKind withShortNames(String... names) {
    return new ServedKind(
        type, schema, singular, List.of(names), categories, hasStatus, scale, rules, columns);
  }

  ServedKind in(String... categories) {
    return new ServedKind(
        type, schema, singular, shortNames, List.of(categories), hasStatus, scale, rules, columns);
  }

  ServedKind withStatus() {
    return new ServedKind(
        type, schema, singular, shortNames, categories, true, scale, rules, columns);
  }

  ServedKind withScale(Scale scale) {
    return new ServedKind(
        type, schema, singular, shortNames, categories, hasStatus, scale, rules, columns);
  }

  ServedKind withRules(Rules rules) {
    return new ServedKind(
        type, schema, singular, shortNames, categories, hasStatus, scale, rules, columns);
  }

  ServedKind withColumns(Column... columns) {
    return withColumns(List.of(columns));
  }

  ServedKind withColumns(List<Column> columns) {
    return new ServedKind(
        type, schema, singular, shortNames, categories, hasStatus, scale, rules, columns);
  }

  /**
   * Where a kind keeps what {@code scale} shows and changes.
   *
   * @param specReplicas a JSON pointer, empty if the kind cannot be scaled
   * @param selector a JSON pointer to a label selector or its text, empty if there is none
   */
  public record Scale(String specReplicas, String statusReplicas, String selector) {

    static final Scale NONE = new Scale("", "", "");
    static final Scale REPLICAS = new Scale("/spec/replicas", "/status/replicas", "/spec/selector");

    public boolean exists() {
      return !specReplicas.isEmpty();
    }
  }

  /** What is particular to a kind when one of its objects is written. */
  public interface Rules {

    /** Fills in what the manifest left out. */
    default void setDefaults(ObjectNode object) {}

    /** Collects what is wrong with {@code metadata.name}. */
    default void validateName(String name, Violations violations) {
      violations.subdomain("metadata.name", name);
    }

    /** Collects what is wrong, each as {@code field: rule}. */
    default void validate(KubeObject object, Violations violations) {}

    /** Collects what a new object must not have yet. */
    default void validateNew(KubeObject object, Violations violations) {}

    /** What whoever wrote a valid object should know of it, each as a sentence. */
    default List<String> warnings(KubeObject object) {
      return List.of();
    }

    /** Collects changes that are not allowed. */
    default void validateUpdate(KubeObject old, KubeObject now, Violations violations) {}

    /** Whether deleting it must wait for a node. */
    default boolean deletesGracefully(KubeObject object) {
      return false;
    }
  }

  /**
   * A column of the server's Table.
   *
   * @param priority 0 always, 1 only with {@code -o wide}
   */
  public record Column(String name, String type, String format, int priority, Cell cell) {}

  /** A column's text for one object. */
  public interface Cell {
    String of(KubeObject object, Instant now);
  }

  /** A resource's name in messages: {@code pods}, {@code ciliumnodes.cilium.io}. */
  public String qualifiedPlural() {
    return type.group().isEmpty() ? type.plural() : type.plural() + "." + type.group();
  }
}
