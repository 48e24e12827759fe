package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.syscall.ContainerInfo;
import dev.paramecium.syscall.LinkFault;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Chaos Mesh's chaos-daemon of one node: gives the node's kernel the faults that the
 * PodNetworkChaos of its pods and its own NodeNetworkChaos ask for, and says in their status that
 * it did, or why it could not.
 *
 * <p>Without the API server the faults stay as they are.
 */
public final class ChaosDaemon extends AbstractBehavior<ChaosDaemon.Command> {

  private static final Duration RETRY = Duration.ofMillis(500);
  private static final String DEVICE = "eth0";

  /** What the daemon can be told. */
  public sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Look(Link link) implements Command {}

  private record Applied(Link link, long generation, boolean hasFaults, String failure)
      implements Command {}

  private record Told(Link link, boolean done) implements Command {}

  /** A device that something may be asked of: a pod's eth0, or, without a namespace, the node's. */
  private record Link(String namespace, String name) {

    static Link of(KubeObject object) {
      return new Link(object.namespace(), object.name());
    }

    boolean isNode() {
      return namespace.isEmpty();
    }

    ResourceType type() {
      return isNode() ? ResourceType.NODE_NETWORK_CHAOS : ResourceType.POD_NETWORK_CHAOS;
    }

    @Override
    public String toString() {
      return isNode() ? name : namespace + "/" + name;
    }
  }

  private final String nodeName;
  private final KernelCalls kernel;
  private final ApiClient api;
  private final TimerScheduler<Command> timers;
  private final Map<Link, KubeObject> wanted = new HashMap<>();
  private final Map<Link, KubeObject> pods = new HashMap<>();
  private final Set<Link> faulty = new HashSet<>();
  private final Set<Link> busy = new HashSet<>();
  private final Set<Link> again = new HashSet<>();

  private ChaosDaemon(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String nodeName,
      ActorRef<Syscall> kernel,
      ActorRef<MapGate.Command> gate,
      ActorRef<CiliumAgent.Command> agent,
      ApiClient api) {
    super(context);
    this.nodeName = nodeName;
    this.kernel = new KernelCalls(kernel, context.getSystem().scheduler());
    this.api = api;
    this.timers = timers;
    ActorRef<InformerEvent> subscriber = context.messageAdapter(InformerEvent.class, FromApi::new);
    context.spawn(
        Executor.create(new ContainerKills(this.kernel, nodeName), api), "container-kills");
    context.spawn(
        Executor.create(
            new MapFaults(this.kernel, gate, agent, context.getSystem().scheduler(), nodeName),
            api),
        "map-faults");
    context.spawn(
        Executor.create(new AgentFaults(agent, context.getSystem().scheduler(), nodeName), api),
        "agent-faults");
    api.inform(ResourceType.POD_NETWORK_CHAOS, "", "", "", subscriber);
    api.inform(ResourceType.NODE_NETWORK_CHAOS, "", "", "metadata.name=" + nodeName, subscriber);
    api.inform(ResourceType.POD, "", "", "spec.nodeName=" + nodeName, subscriber);
  }

  /**
   * The daemon of a node.
   *
   * @param gate through which the agent writes its maps
   * @param agent which repairs them
   */
  public static Behavior<Command> create(
      String nodeName,
      ActorRef<Syscall> kernel,
      ActorRef<MapGate.Command> gate,
      ActorRef<CiliumAgent.Command> agent,
      ApiClient api) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> new ChaosDaemon(context, timers, nodeName, kernel, gate, agent, api)));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case Look(Link link) -> look(link);
      case Applied applied -> onApplied(applied);
      case Told(Link link, boolean done) -> {
        if (!done) {
          retry(link);
        }
      }
    }
    return this;
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced _ -> {}
      case InformerEvent.Upserted(KubeObject _, KubeObject current) -> {
        Link link = Link.of(current);
        (isPod(current) ? pods : wanted).put(link, current);
        look(link);
      }
      case InformerEvent.Removed(KubeObject last) -> {
        Link link = Link.of(last);
        (isPod(last) ? pods : wanted).remove(link);
        look(link);
      }
    }
  }

  private static boolean isPod(KubeObject object) {
    return object.kind().equals(ResourceType.POD.kind());
  }

  private boolean isMine(Link link) {
    KubeObject pod = pods.get(link);
    return link.isNode()
        ? link.name().equals(nodeName)
        : pod != null && pod.text("/status/phase").equals("Running");
  }

  /** Brings one link to what is wanted of it, if it is not there yet. */
  private void look(Link link) {
    if (!isMine(link)) {
      if (!pods.containsKey(link)) {
        faulty.remove(link); // its device went with it
      }
      return;
    }
    KubeObject object = wanted.get(link);
    if (object == null ? !faulty.contains(link) : isObserved(object)) {
      return;
    }
    if (!busy.add(link)) {
      again.add(link);
      return;
    }
    long generation = object == null ? 0 : object.at("/metadata/generation").asLong();
    List<LinkFault> faults;
    try {
      faults = object == null ? List.of() : LinkSpec.faults(object.at("/spec"));
    } catch (IllegalArgumentException e) {
      getContext()
          .getSelf()
          .tell(new Applied(link, generation, false, String.valueOf(e.getMessage())));
      return;
    }
    long seed = object == null ? 0 : object.uid().hashCode() * 31L + generation;
    getContext()
        .pipeToSelf(
            replace(link, faults, seed),
            (_, failure) ->
                new Applied(
                    link,
                    generation,
                    !faults.isEmpty(),
                    failure == null ? "" : KernelCalls.message(failure)));
  }

  /** After a restart the faults are given once more: the kernel may be another. */
  private boolean isObserved(KubeObject object) {
    Link link = Link.of(object);
    boolean empty = object.at("/spec/tcs").isEmpty() && object.at("/spec/iptables").isEmpty();
    return object.at("/status/observedGeneration").asLong(-1)
            == object.at("/metadata/generation").asLong()
        && object.text("/status/failedMessage").isEmpty()
        && (empty || faulty.contains(link));
  }

  private CompletionStage<Done> replace(Link link, List<LinkFault> faults, long seed) {
    if (link.isNode()) {
      return kernel.replaceLinkFaults("", DEVICE, faults, seed);
    }
    return kernel
        .listContainers()
        .thenCompose(
            containers -> {
              for (ContainerInfo container : containers) {
                if (container.spec().podName().equals(link.toString())) {
                  if (container.spec().netns().isEmpty()) {
                    return CompletableFuture.failedFuture(
                        new IllegalStateException(
                            "pod "
                                + link
                                + " is on the node's own network, and so would the faults be:"
                                + " choose another pod, or use PartitionChaos"));
                  }
                  return kernel.replaceLinkFaults(container.spec().netns(), DEVICE, faults, seed);
                }
              }
              return CompletableFuture.failedFuture(
                  new IllegalStateException("pod " + link + " has no container on " + nodeName));
            });
  }

  private void onApplied(Applied applied) {
    Link link = applied.link();
    busy.remove(link);
    if (applied.failure().isEmpty()) {
      if (applied.hasFaults()) {
        faulty.add(link);
      } else {
        faulty.remove(link);
      }
    } else {
      getContext().getLog().warn("faults of {}: {}", link, applied.failure());
      retry(link);
    }
    KubeObject object = wanted.get(link);
    if (object != null) {
      tell(link, applied);
    }
    if (again.remove(link)) {
      look(link);
    }
  }

  private void tell(Link link, Applied applied) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch
        .putObject("status")
        .put("observedGeneration", applied.generation())
        .put("failedMessage", applied.failure());
    getContext()
        .pipeToSelf(
            api.mergePatch(link.type(), link.namespace(), link.name(), "status", patch.toString()),
            (reply, failure) ->
                new Told(
                    link,
                    failure == null
                        && !(reply instanceof ApiReply.Failed failed && failed.code() != 404)));
  }

  private void retry(Link link) {
    timers.startSingleTimer(link, new Look(link), RETRY);
  }
}
