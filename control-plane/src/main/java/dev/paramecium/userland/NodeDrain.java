package dev.paramecium.userland;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.pekko.Done;

/**
 * What a node does before it leaves for good: {@code kubectl drain} and {@code kubectl delete
 * node}. It is cordoned, so that replacements go elsewhere; its pods are deleted and get a moment
 * to end; then the Node goes, and with it what is left, the pods of DaemonSets among it, which
 * would be made again as long as there is a Node.
 *
 * @param grace the longest that a pod gets to end, as {@code shutdownGracePeriod} of a kubelet that
 *     shuts down
 */
public record NodeDrain(ApiClient api, InstantSource clock, String node, Duration grace) {

  private static final Duration POLL = Duration.ofMillis(100);

  /** A pod gets no more than this, and the whole no more than a little above it. */
  public static final Duration GRACE = Duration.ofSeconds(3);

  /** Completes when the Node is gone, or could not be deleted. */
  public CompletionStage<Done> run() {
    Instant limit = clock.instant().plus(grace);
    return api.mergePatch(ResourceType.NODE, "", node, "", "{\"spec\":{\"unschedulable\":true}}")
        .thenCompose(_ -> pods())
        .thenCompose(pods -> deleteAll(pods.stream().filter(pod -> !isDaemon(pod)).toList(), grace))
        .thenCompose(_ -> awaitGone(limit))
        .thenCompose(_ -> api.delete(ResourceType.NODE, "", node, 0))
        .thenCompose(_ -> pods())
        .thenCompose(left -> deleteAll(left, Duration.ZERO));
  }

  private CompletionStage<List<KubeObject>> pods() {
    return api.list(ResourceType.POD, "", "", "spec.nodeName=" + node)
        .thenApply(reply -> reply instanceof ApiReply.Listed listed ? listed.objects() : List.of());
  }

  private static boolean isDaemon(KubeObject pod) {
    return pod.text("/metadata/ownerReferences/0/kind").equals("DaemonSet");
  }

  private CompletionStage<Done> deleteAll(List<KubeObject> pods, Duration longest) {
    Stream<CompletionStage<ApiReply>> deletions =
        pods.stream()
            .map(
                pod ->
                    api.delete(
                        ResourceType.POD,
                        pod.namespace(),
                        pod.name(),
                        Math.min(
                            longest.toSeconds(),
                            pod.at("/spec/terminationGracePeriodSeconds").asLong(30)),
                        pod.uid()));
    return CompletableFuture.allOf(
            deletions
                .map(CompletionStage::toCompletableFuture)
                .toArray(CompletableFuture<?>[]::new))
        .thenApply(_ -> Done.getInstance());
  }

  private CompletionStage<Done> awaitGone(Instant limit) {
    return pods()
        .thenCompose(
            pods -> {
              if (pods.stream().allMatch(NodeDrain::isDaemon) || !clock.instant().isBefore(limit)) {
                return CompletableFuture.completedFuture(Done.getInstance());
              }
              Executor later =
                  CompletableFuture.delayedExecutor(POLL.toMillis(), TimeUnit.MILLISECONDS);
              return CompletableFuture.supplyAsync(() -> limit, later).thenCompose(this::awaitGone);
            });
  }
}
