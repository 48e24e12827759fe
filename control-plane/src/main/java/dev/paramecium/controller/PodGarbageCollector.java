package dev.paramecium.controller;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * kube-controller-manager's pod garbage collector ({@code pkg/controller/podgc}): removes pods that
 * no kubelet will ever confirm. These are pods bound to a node that does not exist, pods that were
 * deleted before they had a node, and the oldest of too many pods that have ended.
 */
public final class PodGarbageCollector extends AbstractBehavior<PodGarbageCollector.Command> {

  /** {@code gcCheckPeriod}. */
  public static final Duration CHECK_PERIOD = Duration.ofSeconds(20);

  /** How long a node must be missing before its pods are orphans ({@code quarantineTime}). */
  static final Duration QUARANTINE = Duration.ofSeconds(40);

  /** {@code --terminated-pod-gc-threshold}. */
  static final int TERMINATED_POD_THRESHOLD = 12_500;

  /** What the collector can be told. */
  public sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Look() implements Command {}

  private record NodeChecked(String node, boolean missing) implements Command {}

  private record Deleted(String uid, String pod, String error) implements Command {}

  private final ApiClient api;
  private final InstantSource clock;
  private final int terminatedThreshold;
  private final Map<String, KubeObject> pods = new HashMap<>();
  private final Set<String> nodes = new HashSet<>();
  private final Map<String, Instant> missingSince = new HashMap<>();
  private final Set<String> deleting = new HashSet<>();
  private final Set<ResourceType> synced = new HashSet<>();

  /**
   * The collector.
   *
   * @param period between two looks
   * @param terminatedThreshold how many pods that have ended may stay, 0 for any number
   */
  static Behavior<Command> create(
      ApiClient api, InstantSource clock, Duration period, int terminatedThreshold) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context ->
                    new PodGarbageCollector(
                        context, timers, api, clock, period, terminatedThreshold)));
  }

  /** The collector with kube-controller-manager's defaults. */
  public static Behavior<Command> create(ApiClient api, InstantSource clock) {
    return create(api, clock, CHECK_PERIOD, TERMINATED_POD_THRESHOLD);
  }

  private PodGarbageCollector(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ApiClient api,
      InstantSource clock,
      Duration period,
      int terminatedThreshold) {
    super(context);
    this.api = api;
    this.clock = clock;
    this.terminatedThreshold = terminatedThreshold;
    ActorRef<InformerEvent> subscriber = context.messageAdapter(InformerEvent.class, FromApi::new);
    api.inform(ResourceType.NODE, "", "", "", subscriber);
    api.inform(ResourceType.POD, "", "", "", subscriber);
    timers.startTimerWithFixedDelay(new Look(), period);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case Look _ -> look();
      case NodeChecked checked -> onNodeChecked(checked);
      case Deleted deleted -> {
        deleting.remove(deleted.uid());
        if (!deleted.error().isEmpty()) {
          getContext().getLog().info("pod {} stays: {}", deleted.pod(), deleted.error());
        }
      }
    }
    return this;
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced(ResourceType type) -> synced.add(type);
      case InformerEvent.Upserted(KubeObject _, KubeObject current) -> {
        if (isNode(current)) {
          nodes.add(current.name());
          missingSince.remove(current.name());
        } else {
          pods.put(key(current), current);
        }
      }
      case InformerEvent.Removed(KubeObject last) -> {
        if (isNode(last)) {
          nodes.remove(last.name());
        } else {
          pods.remove(key(last));
        }
      }
    }
  }

  private static boolean isNode(KubeObject object) {
    return object.kind().equals(ResourceType.NODE.kind());
  }

  private static String key(KubeObject pod) {
    return pod.namespace() + "/" + pod.name();
  }

  private static boolean isOver(KubeObject pod) {
    return List.of("Succeeded", "Failed").contains(pod.text("/status/phase"));
  }

  private void look() {
    if (!synced.containsAll(Set.of(ResourceType.NODE, ResourceType.POD))) {
      return;
    }
    collectTerminated();
    collectOrphaned();
    for (KubeObject pod : List.copyOf(pods.values())) {
      if (pod.text("/spec/nodeName").isEmpty()
          && pod.at("/metadata/deletionTimestamp").isTextual()) {
        delete(pod, "it was deleted before it had a node");
      }
    }
  }

  private void collectTerminated() {
    if (terminatedThreshold == 0) {
      return;
    }
    List<KubeObject> over =
        pods.values().stream()
            .filter(PodGarbageCollector::isOver)
            .sorted(
                Comparator.comparing((KubeObject pod) -> pod.text("/metadata/creationTimestamp"))
                    .thenComparing(KubeObject::name))
            .toList();
    over.stream()
        .limit(Math.max(0, over.size() - terminatedThreshold))
        .forEach(pod -> delete(pod, "too many pods have ended"));
  }

  private void collectOrphaned() {
    Set<String> missing = new HashSet<>();
    for (KubeObject pod : pods.values()) {
      String node = pod.text("/spec/nodeName");
      if (!node.isEmpty() && !nodes.contains(node)) {
        missing.add(node);
      }
    }
    missingSince.keySet().retainAll(missing);
    for (String node : missing) {
      Instant since = missingSince.computeIfAbsent(node, _ -> clock.instant());
      if (!clock.instant().isBefore(since.plus(QUARANTINE))) {
        // The watch may be late: the API server itself has the last word.
        getContext()
            .pipeToSelf(
                api.get(ResourceType.NODE, "", node),
                (reply, _) ->
                    new NodeChecked(
                        node, reply instanceof ApiReply.Failed failed && failed.code() == 404));
      }
    }
  }

  private void onNodeChecked(NodeChecked checked) {
    if (checked.missing() && !nodes.contains(checked.node())) {
      for (KubeObject pod : List.copyOf(pods.values())) {
        if (pod.text("/spec/nodeName").equals(checked.node())) {
          delete(pod, "its node " + checked.node() + " does not exist");
        }
      }
    }
  }

  private void delete(KubeObject pod, String why) {
    if (!deleting.add(pod.uid())) {
      return;
    }
    getContext().getLog().info("removing pod {}: {}", key(pod), why);
    getContext()
        .pipeToSelf(
            api.delete(ResourceType.POD, pod.namespace(), pod.name(), 0, pod.uid()),
            (reply, failure) ->
                new Deleted(
                    pod.uid(),
                    key(pod),
                    failure != null
                        ? String.valueOf(failure.getMessage())
                        : reply instanceof ApiReply.Failed failed && failed.code() != 404
                            ? failed.message()
                            : ""));
  }
}
