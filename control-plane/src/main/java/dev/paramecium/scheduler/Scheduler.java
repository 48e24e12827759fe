package dev.paramecium.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.events.Event;
import dev.paramecium.events.EventRecorder;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * kube-scheduler: gives each pending pod without a node the least loaded node that it fits. The
 * binding is conditional on the pod as it was seen, so that two schedulers never move a pod. A pod
 * that names its node is not the scheduler's: if there is no such node it stays pending. Nor is one
 * whose {@code schedulerName} is another's.
 */
public final class Scheduler extends AbstractBehavior<Scheduler.Command> {

  private static final String NAME = "default-scheduler";

  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Set<ResourceType> WATCHED =
      Set.of(ResourceType.NODE, ResourceType.POD, ResourceType.NAMESPACE);

  /** What the scheduler can be told. */
  public sealed interface Command {}

  /** Ends it. */
  public record Stop() implements Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Bound(KubeObject pod, String node, String error) implements Command {}

  private record Reported(String pod, String error) implements Command {}

  private record Retry() implements Command {}

  private final ApiClient api;
  private final InstantSource clock;
  private final ActorRef<EventRecorder.Command> events;
  private final TimerScheduler<Command> timers;
  private final Placement placement = new Placement();
  private final Map<String, KubeObject> pending = new LinkedHashMap<>();
  private final Map<String, String> binding = new HashMap<>();
  private final Set<String> reporting = new HashSet<>();
  private final Set<ResourceType> synced = new HashSet<>();

  public static Behavior<Command> create(ApiClient api, InstantSource clock) {
    return Behaviors.withTimers(
        timers -> Behaviors.setup(context -> new Scheduler(context, timers, api, clock)));
  }

  private Scheduler(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ApiClient api,
      InstantSource clock) {
    super(context);
    this.api = api;
    this.clock = clock;
    this.timers = timers;
    this.events =
        context.spawn(EventRecorder.create(api, clock, "default-scheduler", ""), "events");
    ActorRef<InformerEvent> subscriber = context.messageAdapter(InformerEvent.class, FromApi::new);
    WATCHED.forEach(type -> api.inform(type, "", "", "", subscriber));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Stop _ -> {
        return Behaviors.stopped();
      }
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case Bound bound -> onBound(bound);
      case Reported reported -> onReported(reported);
      case Retry _ -> scheduleAll();
    }
    return this;
  }

  // ---- what there is

  private static String key(KubeObject pod) {
    return Placement.key(pod);
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced(ResourceType type) -> {
        synced.add(type);
        scheduleAll();
      }
      case InformerEvent.Upserted(KubeObject _, KubeObject current) -> {
        switch (current.kind()) {
          case "Node" -> {
            placement.putNode(current);
            scheduleAll();
          }
          case "Namespace" -> {
            placement.putNamespace(current);
            scheduleAll();
          }
          default -> onPod(current);
        }
      }
      case InformerEvent.Removed(KubeObject last) -> {
        switch (last.kind()) {
          case "Node" -> placement.removeNode(last.name());
          case "Namespace" -> placement.removeNamespace(last.name());
          default -> {
            pending.remove(key(last));
            binding.remove(key(last));
            placement.remove(key(last));
            scheduleAll(); // there may be room now
          }
        }
      }
    }
  }

  private void onPod(KubeObject pod) {
    String key = key(pod);
    String node = pod.text("/spec/nodeName");
    String phase = pod.text("/status/phase");
    boolean over = phase.equals("Succeeded") || phase.equals("Failed");
    if (!node.isEmpty()) {
      pending.remove(key);
      binding.remove(key);
      if (over) {
        placement.remove(key);
        scheduleAll(); // there may be room now
      } else {
        placement.place(pod, node);
      }
    } else if (over || pod.at("/metadata/deletionTimestamp").isTextual()) {
      pending.remove(key);
    } else if (pod.at("/spec/schedulerName").asText(NAME).equals(NAME)) {
      pending.put(key, pod);
      schedule(pod);
    }
  }

  // ---- decisions

  private void scheduleAll() {
    List.copyOf(pending.values()).forEach(this::schedule);
  }

  private void schedule(KubeObject pod) {
    String key = key(pod);
    if (!synced.containsAll(WATCHED) || binding.containsKey(key) || reporting.contains(key)) {
      return;
    }
    Fit fit = new Fit(pod, placement);
    List<List<Fit.Refusal>> refusals = new ArrayList<>();
    for (KubeObject node : placement.nodesByLoad()) {
      List<Fit.Refusal> refusal = fit.refusals(node);
      if (refusal.isEmpty()) {
        bind(pod, node.name());
        return;
      }
      refusals.add(refusal);
    }
    reportUnschedulable(pod, message(refusals));
  }

  private void bind(KubeObject pod, String node) {
    binding.put(key(pod), node);
    placement.place(pod, node); // counts at once, so that the next pod goes elsewhere
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch
        .putObject("metadata")
        .put("uid", pod.uid())
        .put("resourceVersion", Long.toString(pod.resourceVersion()));
    patch.putObject("spec").put("nodeName", node);
    getContext()
        .pipeToSelf(
            api.mergePatch(ResourceType.POD, pod.namespace(), pod.name(), "", patch.toString()),
            (reply, failure) -> new Bound(pod, node, error(reply, failure)));
  }

  private static String error(@Nullable ApiReply reply, @Nullable Throwable failure) {
    if (failure != null) {
      return String.valueOf(failure.getMessage());
    }
    return reply instanceof ApiReply.Failed failed ? failed.message() : "";
  }

  private void onBound(Bound bound) {
    String key = key(bound.pod());
    if (bound.error().isEmpty()) {
      pending.remove(key);
      events.tell(
          Event.normal(
              bound.pod(), "Scheduled", "Successfully assigned " + key + " to " + bound.node()));
      return;
    }
    // It changed meanwhile, or nobody knows what happened: the watch tells, then try again.
    binding.remove(key);
    if (pending.containsKey(key)) {
      placement.remove(key);
    }
    getContext()
        .getLog()
        .info("pod {} is not bound to {} yet: {}", key, bound.node(), bound.error());
    timers.startSingleTimer(new Retry(), RETRY);
  }

  // ---- PodScheduled=False

  private void reportUnschedulable(KubeObject pod, String message) {
    for (JsonNode condition : pod.at("/status/conditions")) {
      if (condition.path("type").asText().equals("PodScheduled")
          && condition.path("message").asText().equals(message)) {
        return;
      }
    }
    events.tell(Event.warning(pod, "FailedScheduling", message));
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch.putObject("metadata").put("uid", pod.uid());
    ArrayNode conditions = patch.putObject("status").putArray("conditions");
    for (JsonNode condition : pod.at("/status/conditions")) {
      if (!condition.path("type").asText().equals("PodScheduled")) {
        conditions.add(condition.deepCopy());
      }
    }
    conditions
        .addObject()
        .put("type", "PodScheduled")
        .put("status", "False")
        .putNull("lastProbeTime")
        .put("lastTransitionTime", clock.instant().truncatedTo(ChronoUnit.SECONDS).toString())
        .put("reason", "Unschedulable")
        .put("message", message);
    String key = key(pod);
    reporting.add(key);
    CompletionStage<ApiReply> written =
        api.mergePatch(ResourceType.POD, pod.namespace(), pod.name(), "status", patch.toString());
    getContext().pipeToSelf(written, (reply, failure) -> new Reported(key, error(reply, failure)));
  }

  /**
   * {@code 0/2 nodes are available: 2 Insufficient cpu.} and what removing other pods would help
   * ({@code FitError}); reasons sorted by text. No pod is removed for another: every pod counts as
   * equally important.
   *
   * @param refusals of each node
   */
  static String message(List<List<Fit.Refusal>> refusals) {
    if (refusals.isEmpty()) {
      return "no nodes available to schedule pods";
    }
    Map<String, Integer> reasons = new TreeMap<>();
    Map<String, Integer> preemption = new TreeMap<>();
    for (List<Fit.Refusal> ofNode : refusals) {
      ofNode.forEach(refusal -> reasons.merge(refusal.reason(), 1, Integer::sum));
      preemption.merge(
          ofNode.stream().allMatch(Fit.Refusal::resolvable)
              ? "No preemption victims found for incoming pod"
              : "Preemption is not helpful for scheduling",
          1,
          Integer::sum);
    }
    String available = "0/" + refusals.size() + " nodes are available: ";
    return available + count(reasons) + ". preemption: " + available + count(preemption) + ".";
  }

  private static String count(Map<String, Integer> reasons) {
    List<String> counted = new ArrayList<>();
    reasons.forEach((reason, count) -> counted.add(count + " " + reason));
    counted.sort(null);
    return String.join(", ", counted);
  }

  private void onReported(Reported reported) {
    reporting.remove(reported.pod());
    if (!reported.error().isEmpty()) {
      getContext()
          .getLog()
          .info("condition of pod {} is not written yet: {}", reported.pod(), reported.error());
    }
    timers.startSingleTimer(new Retry(), RETRY);
  }
}
