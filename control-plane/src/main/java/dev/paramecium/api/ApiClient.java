package dev.paramecium.api;

import java.util.concurrent.CompletionStage;

/**
 * The API server for components that want a future: they pipe it to themselves. A request that gets
 * no answer in time completes with {@link ApiReply.Failed} 504, never exceptionally; whether it
 * took effect is then unknown, as with any API server.
 */
public interface ApiClient {

  CompletionStage<ApiReply> create(ResourceType type, KubeObject object);

  CompletionStage<ApiReply> get(ResourceType type, String namespace, String name);

  CompletionStage<ApiReply> list(
      ResourceType type, String namespace, String labelSelector, String fieldSelector);

  CompletionStage<ApiReply> update(ResourceType type, KubeObject object);

  CompletionStage<ApiReply> updateStatus(ResourceType type, KubeObject object);

  /** A JSON merge patch (RFC 7386). */
  CompletionStage<ApiReply> mergePatch(
      ResourceType type, String namespace, String name, String subresource, String body);

  CompletionStage<ApiReply> delete(
      ResourceType type, String namespace, String name, long gracePeriodSeconds);

  /** Watches with resume; {@link InformerEvent} says what the subscriber sees. */
  void inform(
      ResourceType type,
      String namespace,
      String labelSelector,
      String fieldSelector,
      org.apache.pekko.actor.typed.ActorRef<InformerEvent> subscriber);
}
