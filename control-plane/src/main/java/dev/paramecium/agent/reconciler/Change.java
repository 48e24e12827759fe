package dev.paramecium.agent.reconciler;

import org.jspecify.annotations.Nullable;

/**
 * One entry that should be in a map, or should not.
 *
 * @param value null to have no entry under {@code key}
 */
public record Change(String map, Bytes key, @Nullable Bytes value) {

  public static Change upsert(String map, byte[] key, byte[] value) {
    return new Change(map, new Bytes(key), new Bytes(value));
  }

  public static Change delete(String map, byte[] key) {
    return new Change(map, new Bytes(key), null);
  }
}
