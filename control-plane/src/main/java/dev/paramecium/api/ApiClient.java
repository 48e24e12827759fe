package dev.paramecium.api;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * The API server for components that want a future: they pipe it to themselves. A request that gets
 * no answer in time completes with {@link ApiReply.Failed} 504, never exceptionally; whether it
 * took effect is then unknown, as with any API server.
 */
public interface ApiClient {

  CompletionStage<ApiReply> create(ResourceType type, KubeObject object);

  /**
   * Sees to it that there is an object of this name: creates it, unless one is there. Completes
   * exceptionally if neither is so.
   */
  default CompletionStage<Done> ensure(ResourceType type, KubeObject object) {
    return create(type, object)
        .thenApply(
            reply -> {
              if (reply instanceof ApiReply.Failed failed && failed.code() != 409) {
                throw new IllegalStateException(failed.message());
              }
              return Done.getInstance();
            });
  }

  CompletionStage<ApiReply> get(ResourceType type, String namespace, String name);

  CompletionStage<ApiReply> list(
      ResourceType type, String namespace, String labelSelector, String fieldSelector);

  CompletionStage<ApiReply> update(ResourceType type, KubeObject object);

  CompletionStage<ApiReply> updateStatus(ResourceType type, KubeObject object);

  /** A JSON merge patch (RFC 7386). */
  CompletionStage<ApiReply> mergePatch(
      ResourceType type, String namespace, String name, String subresource, String body);

  /** Deletes whatever has the name now. */
  default CompletionStage<ApiReply> delete(
      ResourceType type, String namespace, String name, long gracePeriodSeconds) {
    return delete(type, namespace, name, gracePeriodSeconds, "");
  }

  /**
   * Deletes the object only if it still has this uid, else 409: a late request must not hit a
   * successor of the same name.
   *
   * @param gracePeriodSeconds -1 for the kind's own
   * @param preconditionUid empty for any
   */
  CompletionStage<ApiReply> delete(
      ResourceType type,
      String namespace,
      String name,
      long gracePeriodSeconds,
      String preconditionUid);

  /**
   * Watches with resume; {@link InformerEvent} says what the subscriber sees. Who watches the same
   * through one client shares the watch and the objects.
   */
  void inform(
      ResourceType type,
      String namespace,
      String labelSelector,
      String fieldSelector,
      org.apache.pekko.actor.typed.ActorRef<InformerEvent> subscriber);
}
