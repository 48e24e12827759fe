package dev.paramecium.controller;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.concurrent.CompletionStage;

/** One request that a reconciler wants made. */
public sealed interface Write {

  ResourceType type();

  record Create(ResourceType type, KubeObject object) implements Write {}

  /** With the revision that {@code object} was read at: what changed meanwhile wins. */
  record Update(ResourceType type, KubeObject object) implements Write {}

  /** As {@link Update}, of the status alone. */
  record UpdateStatus(ResourceType type, KubeObject object) implements Write {}

  /** Deletes this very object, not a successor of its name. */
  record Delete(ResourceType type, KubeObject object) implements Write {}

  /** As {@link Delete}, with a grace period of its own in seconds. */
  record Kill(ResourceType type, KubeObject object, long graceSeconds) implements Write {}

  /** Makes the request. */
  default CompletionStage<ApiReply> send(ApiClient api) {
    return switch (this) {
      case Create(ResourceType type, KubeObject object) -> api.create(type, object);
      case Update(ResourceType type, KubeObject object) -> api.update(type, object);
      case UpdateStatus(ResourceType type, KubeObject object) -> api.updateStatus(type, object);
      case Delete(ResourceType type, KubeObject object) ->
          api.delete(type, object.namespace(), object.name(), -1, object.uid());
      case Kill(ResourceType type, KubeObject object, long graceSeconds) ->
          api.delete(type, object.namespace(), object.name(), graceSeconds, object.uid());
    };
  }

  /** Whether the answer needs no second try: a successful one, or one that says it is done. */
  default boolean isSettledBy(ApiReply reply) {
    return switch (reply) {
      case ApiReply.Stored _, ApiReply.Deleted _, ApiReply.Listed _ -> true;
      case ApiReply.Failed failed ->
          (this instanceof Delete || this instanceof Kill) && failed.code() == 404;
    };
  }
}
