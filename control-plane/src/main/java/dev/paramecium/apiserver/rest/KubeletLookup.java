package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.kubelet.KubeletRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;

/** Finds the kubelet, or the host outside the cluster, that a request is for. */
final class KubeletLookup {

  private static final Duration TIMEOUT = Duration.ofSeconds(3);

  private KubeletLookup() {}

  /** A kubelet, or why there is none. */
  sealed interface Found {

    record Kubelet(ActorRef<KubeletRequest> ref) implements Found {}

    record Missing(ApiReply.Failed failure) implements Found {}
  }

  /** The kubelet of the node that a pod is bound to. */
  static CompletionStage<Found> ofPod(RestServer.Services services, String namespace, String pod) {
    return ofContainer(services, namespace, pod, "");
  }

  /**
   * The kubelet of the node that a pod is bound to ({@code validateContainer} in {@code
   * pkg/registry/core/pod/strategy.go}).
   *
   * @param container one that the pod must have, empty for any
   */
  static CompletionStage<Found> ofContainer(
      RestServer.Services services, String namespace, String pod, String container) {
    return services
        .api()
        .get(ResourceType.POD, namespace, pod)
        .thenCompose(
            reply ->
                switch (reply) {
                  case ApiReply.Stored stored -> {
                    if (!container.isEmpty() && !hasContainer(stored.object(), container)) {
                      yield missing(
                          400,
                          "BadRequest",
                          "container " + container + " is not valid for pod " + pod);
                    }
                    String node = stored.object().text("/spec/nodeName");
                    yield node.isEmpty()
                        ? missing(
                            400, "BadRequest", "pod " + pod + " does not have a host assigned")
                        : ofNode(services, node);
                  }
                  case ApiReply.Failed failed ->
                      CompletableFuture.completedStage(new Found.Missing(failed));
                  case ApiReply.Deleted _, ApiReply.Listed _ ->
                      throw new IllegalStateException("not an answer to a get");
                });
  }

  private static boolean hasContainer(KubeObject pod, String name) {
    for (String list : List.of("containers", "initContainers", "ephemeralContainers")) {
      for (JsonNode container : pod.at("/spec/" + list)) {
        if (container.path("name").asText().equals(name)) {
          return true;
        }
      }
    }
    return false;
  }

  /** The kubelet of a node. */
  static CompletionStage<Found> ofNode(RestServer.Services services, String node) {
    return services
        .api()
        .get(ResourceType.NODE, "", node)
        .thenCompose(
            reply ->
                reply instanceof ApiReply.Failed failed
                    ? CompletableFuture.completedStage(new Found.Missing(failed))
                    : registered(services, node));
  }

  /** Who runs commands on a host outside the cluster. */
  static CompletionStage<Found> ofWorld(RestServer.Services services, String host) {
    return registered(
        services,
        KubeletRequest.worldKey(host),
        () ->
            missing(
                404,
                "NotFound",
                "host \""
                    + host
                    + "\" is not up: spec.world.hosts of the cluster file names the hosts, and"
                    + " gateway is the router to them"));
  }

  private static CompletionStage<Found> registered(RestServer.Services services, String node) {
    return registered(services, KubeletRequest.key(node), () -> unreachable(node));
  }

  private static CompletionStage<Found> registered(
      RestServer.Services services,
      ServiceKey<KubeletRequest> key,
      Supplier<CompletionStage<Found>> otherwise) {
    CompletionStage<Receptionist.Listing> listing =
        AskPattern.ask(
            services.system().receptionist(),
            replyTo -> Receptionist.find(key, replyTo),
            TIMEOUT,
            services.system().scheduler());
    return listing
        .thenCompose(
            found ->
                found.getServiceInstances(key).stream()
                    .findFirst()
                    .<CompletionStage<Found>>map(
                        ref -> CompletableFuture.completedStage(new Found.Kubelet(ref)))
                    .orElseGet(otherwise))
        .exceptionallyCompose(_ -> otherwise.get());
  }

  private static CompletionStage<Found> unreachable(String node) {
    return missing(
        500,
        "InternalError",
        "error dialing backend: node " + node + " is not connected to the control plane");
  }

  private static CompletionStage<Found> missing(int code, String reason, String message) {
    return CompletableFuture.completedStage(
        new Found.Missing(new ApiReply.Failed(code, reason, message)));
  }
}
