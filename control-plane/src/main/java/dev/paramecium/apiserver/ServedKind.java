package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Instant;
import java.util.List;

/**
 * What the API server knows of one kind of object: its names, what it fills in, what it refuses,
 * how it prints.
 *
 * @param hasStatus whether status is a subresource of its own node to finish
 */
public record ServedKind(
    ResourceType type,
    String singular,
    List<String> shortNames,
    List<String> categories,
    boolean hasStatus,
    Rules rules,
    List<Column> columns) {

  /** What is particular to a kind when one of its objects is written. */
  public interface Rules {

    /** Fills in what the manifest left out. */
    default void setDefaults(ObjectNode object) {}

    /** Collects what is wrong, each as {@code field: rule}. */
    default void validate(KubeObject object, Violations violations) {}

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
