package dev.paramecium.api;

import org.apache.pekko.actor.typed.ActorRef;

/**
 * One request to the API server. On the wire between JVMs it is protobuf with the object as JSON
 * bytes.
 *
 * <p>{@code namespace} is empty for cluster-scoped kinds, and in {@link List} and {@link Watch} for
 * all namespaces. Selectors are in Kubernetes' query syntax, empty for everything.
 */
public sealed interface ApiRequest {

  /**
   * Stores a new object; answered with {@link ApiReply.Stored} after its event is in the journal.
   */
  record Create(
      ResourceType type,
      String namespace,
      KubeObject object,
      WriteOptions options,
      ActorRef<ApiReply> replyTo)
      implements ApiRequest {

    public Create(
        ResourceType type,
        String namespace,
        KubeObject object,
        boolean dryRun,
        ActorRef<ApiReply> replyTo) {
      this(type, namespace, object, WriteOptions.dryRun(dryRun), replyTo);
    }
  }

  /** Answered with {@link ApiReply.Stored}, or 404. */
  record Get(ResourceType type, String namespace, String name, ActorRef<ApiReply> replyTo)
      implements ApiRequest {}

  /** Answered with {@link ApiReply.Listed}. */
  record List(
      ResourceType type,
      String namespace,
      String labelSelector,
      String fieldSelector,
      ActorRef<ApiReply> replyTo)
      implements ApiRequest {}

  /**
   * Replaces an object, or only its status. A non-empty {@code metadata.resourceVersion} must be
   * the stored one, else 409.
   *
   * @param subresource empty, {@code status}, {@code scale}, {@code binding} or {@code eviction},
   *     each with an object of its own kind
   */
  record Update(
      ResourceType type,
      String namespace,
      String name,
      String subresource,
      KubeObject object,
      WriteOptions options,
      ActorRef<ApiReply> replyTo)
      implements ApiRequest {

    public Update(
        ResourceType type,
        String namespace,
        String name,
        String subresource,
        KubeObject object,
        boolean dryRun,
        ActorRef<ApiReply> replyTo) {
      this(type, namespace, name, subresource, object, WriteOptions.dryRun(dryRun), replyTo);
    }
  }

  /**
   * Patches an object.
   *
   * @param patchType the Content-Type: {@code application/merge-patch+json}, {@code
   *     application/strategic-merge-patch+json}, {@code application/json-patch+json} or {@code
   *     application/apply-patch+yaml}, which creates the object if it is not there
   * @param body the patch as JSON
   */
  record Patch(
      ResourceType type,
      String namespace,
      String name,
      String subresource,
      String patchType,
      String body,
      WriteOptions options,
      ActorRef<ApiReply> replyTo)
      implements ApiRequest {

    public Patch(
        ResourceType type,
        String namespace,
        String name,
        String subresource,
        String patchType,
        String body,
        boolean dryRun,
        ActorRef<ApiReply> replyTo) {
      this(
          type,
          namespace,
          name,
          subresource,
          patchType,
          body,
          WriteOptions.dryRun(dryRun),
          replyTo);
    }
  }

  /**
   * Deletes an object: at once, or gracefully (Pods on a node: {@code deletionTimestamp} is set,
   * the kubelet finishes with grace 0).
   *
   * @param gracePeriodSeconds -1 for the kind's own
   * @param propagation what becomes of the objects that it owns: {@code Background}, {@code
   *     Foreground}, {@code Orphan}; empty for the kind's own
   */
  record Delete(
      ResourceType type,
      String namespace,
      String name,
      long gracePeriodSeconds,
      String preconditionUid,
      String propagation,
      boolean dryRun,
      ActorRef<ApiReply> replyTo)
      implements ApiRequest {

    public Delete(
        ResourceType type,
        String namespace,
        String name,
        long gracePeriodSeconds,
        String preconditionUid,
        ActorRef<ApiReply> replyTo) {
      this(type, namespace, name, gracePeriodSeconds, preconditionUid, "", false, replyTo);
    }
  }

  /**
   * Deletes everything that a list would show, each as {@link Delete} would; answered with {@link
   * ApiReply.Listed}.
   */
  record DeleteAll(
      ResourceType type,
      String namespace,
      String labelSelector,
      String fieldSelector,
      long gracePeriodSeconds,
      String propagation,
      boolean dryRun,
      ActorRef<ApiReply> replyTo)
      implements ApiRequest {}

  /**
   * Streams changes after {@code resourceVersion} to {@code subscriber} until it stops or says
   * {@link Unwatch}; 0 starts with the current objects as ADDED and then a bookmark. A version that
   * is too old is answered with {@link ApiWatchEvent.Expired}.
   *
   * <p>Flow control: at most {@link ApiWatchEvent#WINDOW} events are in flight; the subscriber
   * returns credit with {@link WatchAck}. One that falls behind further than the server's history
   * is told {@link ApiWatchEvent.Expired}.
   */
  record Watch(
      ResourceType type,
      String namespace,
      String labelSelector,
      String fieldSelector,
      long resourceVersion,
      ActorRef<ApiWatchEvent> subscriber)
      implements ApiRequest {}

  record WatchAck(int events, ActorRef<ApiWatchEvent> subscriber) implements ApiRequest {}

  record Unwatch(ActorRef<ApiWatchEvent> subscriber) implements ApiRequest {}
}
