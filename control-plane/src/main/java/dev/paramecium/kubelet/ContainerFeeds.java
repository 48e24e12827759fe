package dev.paramecium.kubelet;

import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.dns.NameFeed;
import dev.paramecium.log.LogBook;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * Gives containers that have no way to the control plane what they would learn there, as long as
 * they run: coredns the cluster's names, cilium-operator and cilium-agent what operator and agent
 * do.
 */
final class ContainerFeeds {

  private final ActorContext<PodWorker.Command> context;
  private final KernelCalls kernel;
  private final ApiClient api;
  private final InstantSource clock;
  private final ActorRef<LogBook.Command> agentLog;
  private final Map<String, ActorRef<?>> byContainer = new HashMap<>();

  ContainerFeeds(
      ActorContext<PodWorker.Command> context,
      KernelCalls kernel,
      ApiClient api,
      InstantSource clock,
      ActorRef<LogBook.Command> agentLog) {
    this.context = context;
    this.kernel = kernel;
    this.api = api;
    this.clock = clock;
    this.agentLog = agentLog;
  }

  /** The container runs. */
  void begin(ContainerRecord container) {
    String id = container.id;
    if (byContainer.containsKey(id)) {
      return;
    }
    switch (program(container.image())) {
      case "coredns" ->
          byContainer.put(id, context.spawnAnonymous(NameFeed.create(id, kernel, api, clock)));
      case "operator-generic" ->
          byContainer.put(id, context.spawnAnonymous(LogFeed.ofOperator(id, kernel)));
      case "cilium" ->
          byContainer.put(id, context.spawnAnonymous(LogFeed.of(agentLog, id, kernel)));
      default -> {}
    }
  }

  /** The container has ended. */
  void end(String containerId) {
    ActorRef<?> feed = byContainer.remove(containerId);
    if (feed != null) {
      context.stop(feed);
    }
  }

  /** {@code registry.k8s.io/coredns/coredns:v1.8.6} is {@code coredns}. */
  private static String program(String image) {
    String name = image.split("@", 2)[0];
    return name.substring(name.lastIndexOf('/') + 1).split(":", 2)[0];
  }
}
