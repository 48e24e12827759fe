package dev.paramecium.kubelet;

import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.KubeObject;
import dev.paramecium.dns.NameFeed;
import dev.paramecium.log.LogBook;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * Gives containers that have no way to the control plane what they would learn there, as long as
 * they run: coredns the cluster's names, cilium-operator and cilium-agent what operator and agent
 * do, any the files of volumes that change.
 */
final class ContainerFeeds {

  private final ActorContext<PodWorker.Command> context;
  private final KernelCalls kernel;
  private final ApiClient api;
  private final InstantSource clock;
  private final ActorRef<LogBook.Command> agentLog;
  private final Function<KubeObject, PodFields> fields;
  private final Map<String, ActorRef<?>> byContainer = new HashMap<>();
  private final Map<String, ActorRef<VolumeSync.Command>> volumes = new HashMap<>();

  ContainerFeeds(
      ActorContext<PodWorker.Command> context,
      KernelCalls kernel,
      ApiClient api,
      InstantSource clock,
      ActorRef<LogBook.Command> agentLog,
      Function<KubeObject, PodFields> fields) {
    this.context = context;
    this.kernel = kernel;
    this.api = api;
    this.clock = clock;
    this.agentLog = agentLog;
    this.fields = fields;
  }

  /** The container runs. */
  void begin(KubeObject pod, ContainerRecord container) {
    String id = container.id;
    if (!volumes.containsKey(id) && VolumeSync.isWanted(pod, container.spec)) {
      volumes.put(
          id, context.spawnAnonymous(VolumeSync.create(pod, container, fields, kernel, api)));
    }
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

  /** The pod as the API server has it now. */
  void update(KubeObject pod) {
    volumes.values().forEach(sync -> sync.tell(new VolumeSync.PodChanged(pod)));
  }

  /** The container has ended. */
  void end(String containerId) {
    ActorRef<VolumeSync.Command> sync = volumes.remove(containerId);
    if (sync != null) {
      context.stop(sync);
    }
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
