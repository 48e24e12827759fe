package dev.paramecium.kubelet;

import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.LinkInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/**
 * What the node's kernel holds of pods whose kubelet, or whose worker, is gone: as containers run
 * on while the kubelet restarts, they are found again by their pod's uid and taken over.
 */
final class Sandboxes {

  private static final String NETNS_PREFIX = "cni-";
  private static final Duration CNI_TIMEOUT = Duration.ofSeconds(10);

  /**
   * A pod's sandbox.
   *
   * @param netns empty for a pod in the node's own network
   * @param containers every run that was not removed
   */
  record Found(PodRef pod, String netns, List<ContainerInfo> containers) {

    /** The latest run of the container of that name, null if there is none. */
    @Nullable ContainerInfo latest(String container) {
      ContainerInfo latest = null;
      for (ContainerInfo info : containers) {
        if (info.spec().containerName().equals(container)
            && (latest == null || info.spec().attempt() > latest.spec().attempt())) {
          latest = info;
        }
      }
      return latest;
    }
  }

  /**
   * All that was found.
   *
   * @param byUid sandboxes with containers, by their pod's uid
   * @param empty namespaces in which no container was started yet
   */
  record Inventory(Map<String, Found> byUid, Set<String> empty) {}

  private final KernelCalls kernel;
  private final ActorRef<CiliumAgent.Command> agent;
  private final Scheduler scheduler;

  Sandboxes(KernelCalls kernel, ActorRef<CiliumAgent.Command> agent, Scheduler scheduler) {
    this.kernel = kernel;
    this.agent = agent;
    this.scheduler = scheduler;
  }

  CompletionStage<Inventory> list() {
    return kernel.listContainers().thenCombine(kernel.listLinks(), Sandboxes::inventory);
  }

  private static Inventory inventory(List<ContainerInfo> containers, List<LinkInfo> links) {
    Map<String, List<ContainerInfo>> byUid = new HashMap<>();
    Set<String> empty = new HashSet<>();
    for (LinkInfo link : links) {
      empty.addAll(List.of(link.netns(), link.peerNetns()));
    }
    empty.removeIf(netns -> !netns.startsWith(NETNS_PREFIX));
    for (ContainerInfo info : containers) {
      empty.remove(info.spec().netns());
      if (!info.spec().podUid().isEmpty()) {
        byUid.computeIfAbsent(info.spec().podUid(), _ -> new ArrayList<>()).add(info);
      }
    }
    Map<String, Found> found = new HashMap<>();
    byUid.forEach((uid, ofPod) -> found.put(uid, found(ofPod)));
    return new Inventory(found, empty);
  }

  private static Found found(List<ContainerInfo> containers) {
    ContainerSpec any = containers.getFirst().spec();
    int slash = any.podName().indexOf('/');
    PodRef pod =
        new PodRef(
            any.podName().substring(0, slash), any.podName().substring(slash + 1), any.podUid());
    return new Found(pod, any.netns(), List.copyOf(containers));
  }

  /** Deletes namespaces. */
  CompletionStage<Done> delete(Set<String> namespaces) {
    CompletionStage<Done> all = CompletableFuture.completedFuture(Done.done());
    for (String netns : namespaces) {
      all = all.thenCompose(_ -> kernel.deleteNetns(netns));
    }
    return all;
  }

  /** Ends a pod that the API server knows no more: its containers, its endpoint, its namespace. */
  CompletionStage<Done> remove(Found orphan) {
    if (orphan.netns().isEmpty()) {
      CompletionStage<Done> all = CompletableFuture.completedFuture(Done.done());
      for (ContainerInfo info : orphan.containers()) {
        String id = info.spec().id();
        all =
            all.thenCompose(_ -> kernel.stopContainer(id, 0))
                .thenCompose(_ -> kernel.removeContainer(id));
      }
      return all;
    }
    CompletionStage<Done> detached =
        AskPattern.ask(
            agent,
            replyTo -> new CiliumAgent.CniDel(orphan.pod(), replyTo),
            CNI_TIMEOUT,
            scheduler);
    return detached.thenCompose(_ -> kernel.deleteNetns(orphan.netns()));
  }
}
