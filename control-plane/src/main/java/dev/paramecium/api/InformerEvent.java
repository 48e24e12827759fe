package dev.paramecium.api;

import org.jspecify.annotations.Nullable;

/**
 * What an informer tells its component. Over restarts of the API server and of watches the sequence
 * stays true: an object that vanished while the watch was down is told as {@link Removed}, one that
 * did not change is not told again.
 */
public sealed interface InformerEvent {

  /** Created or changed; {@code old} is what was told before, null if nothing was. */
  record Upserted(@Nullable KubeObject old, KubeObject current) implements InformerEvent {}

  record Removed(KubeObject last) implements InformerEvent {}

  /** The first list is complete: everything that exists has been told. Sent once. */
  record Synced(ResourceType type) implements InformerEvent {}
}
