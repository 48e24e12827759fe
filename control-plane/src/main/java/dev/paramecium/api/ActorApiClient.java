package dev.paramecium.api;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * {@link ApiClient} over an actor: the API server itself, or the proxy of the cluster singleton.
 */
public final class ActorApiClient implements ApiClient {

  /** A message can be lost while members join: whoever asked asks again, so not too late. */
  private static final Duration TIMEOUT = Duration.ofSeconds(4);

  private static final AtomicLong CLIENTS = new AtomicLong();

  private final ActorSystem<?> system;
  private final ActorRef<ApiRequest> server;
  private final ActorRef<Informers.Command> informers;

  public ActorApiClient(ActorSystem<?> system, ActorRef<ApiRequest> server) {
    this.system = system;
    this.server = server;
    this.informers =
        system.systemActorOf(
            Informers.create(server), "informers-" + CLIENTS.incrementAndGet(), Props.empty());
  }

  private CompletionStage<ApiReply> ask(Function<ActorRef<ApiReply>, ApiRequest> request) {
    CompletionStage<ApiReply> reply =
        AskPattern.ask(server, request::apply, TIMEOUT, system.scheduler());
    return reply.exceptionally(
        _ ->
            new ApiReply.Failed(
                504,
                "Timeout",
                "the API server did not answer in "
                    + TIMEOUT.toSeconds()
                    + " s; whether the request took effect is unknown"));
  }

  @Override
  public CompletionStage<ApiReply> create(ResourceType type, KubeObject object) {
    return ask(replyTo -> new ApiRequest.Create(type, object.namespace(), object, false, replyTo));
  }

  @Override
  public CompletionStage<ApiReply> get(ResourceType type, String namespace, String name) {
    return ask(replyTo -> new ApiRequest.Get(type, namespace, name, replyTo));
  }

  @Override
  public CompletionStage<ApiReply> list(
      ResourceType type, String namespace, String labelSelector, String fieldSelector) {
    return ask(
        replyTo -> new ApiRequest.List(type, namespace, labelSelector, fieldSelector, replyTo));
  }

  @Override
  public CompletionStage<ApiReply> update(ResourceType type, KubeObject object) {
    return update(type, object, "");
  }

  @Override
  public CompletionStage<ApiReply> updateStatus(ResourceType type, KubeObject object) {
    return update(type, object, "status");
  }

  private CompletionStage<ApiReply> update(
      ResourceType type, KubeObject object, String subresource) {
    return ask(
        replyTo ->
            new ApiRequest.Update(
                type, object.namespace(), object.name(), subresource, object, false, replyTo));
  }

  @Override
  public CompletionStage<ApiReply> mergePatch(
      ResourceType type, String namespace, String name, String subresource, String body) {
    return ask(
        replyTo ->
            new ApiRequest.Patch(
                type,
                namespace,
                name,
                subresource,
                "application/merge-patch+json",
                body,
                false,
                replyTo));
  }

  @Override
  public CompletionStage<ApiReply> delete(
      ResourceType type,
      String namespace,
      String name,
      long gracePeriodSeconds,
      String preconditionUid) {
    return ask(
        replyTo ->
            new ApiRequest.Delete(
                type, namespace, name, gracePeriodSeconds, preconditionUid, replyTo));
  }

  @Override
  public void inform(
      ResourceType type,
      String namespace,
      String labelSelector,
      String fieldSelector,
      ActorRef<InformerEvent> subscriber) {
    informers.tell(
        new Informers.Subscribe(
            new Informers.Subject(type, namespace, labelSelector, fieldSelector), subscriber));
  }
}
