package dev.paramecium.controller;

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
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * kube-controller-manager's node lifecycle controller: a node whose heartbeats stop becomes
 * Ready=Unknown, tainted, and its pods not ready; one that is heard again is clean again. Time is
 * counted from when this controller last saw the heartbeat change, so that clocks of nodes do not
 * matter.
 */
public final class NodeLifecycle extends AbstractBehavior<NodeLifecycle.Command> {

  /** {@code --node-monitor-grace-period} of Kubernetes 1.24. */
  public static final Duration GRACE = Duration.ofSeconds(40);

  /** Where the nodes' leases are. */
  private static final String LEASES = "kube-node-lease";

  private static final String UNREACHABLE = "node.kubernetes.io/unreachable";
  private static final String NOT_READY = "node.kubernetes.io/not-ready";
  private static final List<String> KUBELETS =
      List.of("Ready", "MemoryPressure", "DiskPressure", "PIDPressure");

  /** What the controller can be told. */
  public sealed interface Command {}

  /** Ends it. */
  public record Stop() implements Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Look() implements Command {}

  private record Written(String what, List<Event> events, String error) implements Command {}

  private final ApiClient api;
  private final InstantSource clock;
  private final Duration grace;
  private final ActorRef<EventRecorder.Command> events;
  private final Map<String, KubeObject> nodes = new HashMap<>();
  private final Map<String, Instant> heard = new HashMap<>();
  private final Map<String, String> heartbeats = new HashMap<>();
  private final Map<String, KubeObject> pods = new HashMap<>();
  private final Set<String> writing = new HashSet<>();

  /**
   * @param grace how long after its last heartbeat a node counts as alive
   */
  public static Behavior<Command> create(ApiClient api, InstantSource clock, Duration grace) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(context -> new NodeLifecycle(context, timers, api, clock, grace)));
  }

  private NodeLifecycle(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ApiClient api,
      InstantSource clock,
      Duration grace) {
    super(context);
    this.api = api;
    this.clock = clock;
    this.grace = grace;
    this.events = context.spawn(EventRecorder.create(api, clock, "node-controller", ""), "events");
    ActorRef<InformerEvent> subscriber = context.messageAdapter(InformerEvent.class, FromApi::new);
    api.inform(ResourceType.NODE, "", "", "", subscriber);
    api.inform(ResourceType.LEASE, LEASES, "", "", subscriber);
    api.inform(ResourceType.POD, "", "", "", subscriber);
    timers.startTimerWithFixedDelay(new Look(), grace.dividedBy(8));
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
      case Look _ -> nodes.values().forEach(this::look);
      case Written written -> {
        writing.remove(written.what());
        if (written.error().isEmpty()) {
          written.events().forEach(events::tell);
        } else {
          getContext().getLog().info("{} is not written: {}", written.what(), written.error());
        }
      }
    }
    return this;
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced _ -> getContext().getLog().debug("synced");
      case InformerEvent.Upserted(KubeObject _, KubeObject current) -> {
        if (current.kind().equals(ResourceType.NODE.kind())) {
          if (nodes.put(current.name(), current) == null) {
            tell(current, "RegisteredNode", "Registered Node %s in Controller");
          }
          hear(current.name(), current.name(), heartbeat(current));
          look(current);
        } else if (current.kind().equals(ResourceType.LEASE.kind())) {
          hear(current.name(), "lease of " + current.name(), current.text("/spec/renewTime"));
        } else {
          pods.put(current.namespace() + "/" + current.name(), current);
        }
      }
      case InformerEvent.Removed(KubeObject last) -> {
        if (last.kind().equals(ResourceType.NODE.kind())) {
          nodes.remove(last.name());
          tell(last, "RemovingNode", "Removing Node %s from Controller");
          heard.remove(last.name());
        } else if (last.kind().equals(ResourceType.POD.kind())) {
          pods.remove(last.namespace() + "/" + last.name());
        }
      }
    }
  }

  private void tell(KubeObject node, String reason, String what) {
    String message = "Node " + node.name() + " event: " + what.formatted(node.name());
    events.tell(Event.normal(node, reason, message));
  }

  /** A node lives if what it says about itself, in its lease or its status, is new. */
  private void hear(String node, String where, String heartbeat) {
    if (!heartbeat.equals(heartbeats.put(where, heartbeat))) {
      heard.put(node, clock.instant());
    }
  }

  /** What the kubelet changes with each status; what this controller writes leaves it as it is. */
  private static String heartbeat(KubeObject node) {
    return condition(node, "Ready").path("lastHeartbeatTime").asText();
  }

  private static JsonNode condition(KubeObject node, String type) {
    for (JsonNode condition : node.at("/status/conditions")) {
      if (condition.path("type").asText().equals(type)) {
        return condition;
      }
    }
    return JsonNodeFactory.instance.missingNode();
  }

  private void look(KubeObject node) {
    Instant last = heard.get(node.name());
    if (last == null) {
      return;
    }
    String ready = condition(node, "Ready").path("status").asText();
    boolean silent = !clock.instant().isBefore(last.plus(grace));
    if (silent && !ready.equals("Unknown")) {
      writeUnknown(node);
    }
    boolean unknown = silent || ready.equals("Unknown");
    String wanted = unknown ? UNREACHABLE : ready.equals("True") ? "" : NOT_READY;
    writeTaints(node, wanted);
    if (unknown) {
      pods.values().stream()
          .filter(pod -> pod.text("/spec/nodeName").equals(node.name()))
          .forEach(this::markNotReady);
    }
  }

  private String now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private void writeUnknown(KubeObject node) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    // Conditional: a heartbeat that arrives now must win.
    patch.putObject("metadata").put("resourceVersion", Long.toString(node.resourceVersion()));
    ArrayNode conditions = patch.putObject("status").putArray("conditions");
    for (JsonNode condition : node.at("/status/conditions")) {
      ObjectNode copy = condition.deepCopy();
      if (KUBELETS.contains(copy.path("type").asText())) {
        copy.put("status", "Unknown");
        copy.put("reason", "NodeStatusUnknown");
        copy.put("message", "Kubelet stopped posting node status.");
        copy.put("lastTransitionTime", now());
      }
      conditions.add(copy);
    }
    boolean wasReady = condition(node, "Ready").path("status").asText().equals("True");
    write(
        "status of node " + node.name(),
        wasReady
            ? List.of(
                Event.normal(
                    node, "NodeNotReady", "Node " + node.name() + " status is now: NodeNotReady"))
            : List.of(),
        () -> api.mergePatch(ResourceType.NODE, "", node.name(), "status", patch.toString()));
  }

  private void writeTaints(KubeObject node, String wanted) {
    ArrayNode taints = JsonNodeFactory.instance.arrayNode();
    String has = "";
    boolean stamped = false;
    for (JsonNode taint : node.at("/spec/taints")) {
      String key = taint.path("key").asText();
      if (key.equals(UNREACHABLE) || key.equals(NOT_READY)) {
        has = key;
        if (!has.equals(wanted)) {
          continue;
        }
      }
      ObjectNode copy = taint.deepCopy();
      if (copy.path("effect").asText().equals("NoExecute") && !copy.path("timeAdded").isTextual()) {
        copy.put("timeAdded", now()); // tolerationSeconds count from here
        stamped = true;
      }
      taints.add(copy);
    }
    if (has.equals(wanted) && !stamped) {
      return;
    }
    if (!wanted.isEmpty() && !has.equals(wanted)) {
      for (String effect : List.of("NoSchedule", "NoExecute")) {
        taints.addObject().put("key", wanted).put("effect", effect).put("timeAdded", now());
      }
    }
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch.putObject("metadata").put("resourceVersion", Long.toString(node.resourceVersion()));
    ObjectNode spec = patch.putObject("spec");
    if (taints.isEmpty()) {
      spec.putNull("taints");
    } else {
      spec.set("taints", taints);
    }
    write(
        "taints of node " + node.name(),
        List.of(),
        () -> api.mergePatch(ResourceType.NODE, "", node.name(), "", patch.toString()));
  }

  private void markNotReady(KubeObject pod) {
    ArrayNode conditions = JsonNodeFactory.instance.arrayNode();
    boolean changes = false;
    for (JsonNode condition : pod.at("/status/conditions")) {
      ObjectNode copy = condition.deepCopy();
      boolean isReady = copy.path("type").asText().equals("Ready");
      if (isReady && copy.path("status").asText().equals("True")) {
        copy.put("status", "False");
        copy.put("lastTransitionTime", now());
        changes = true;
      }
      conditions.add(copy);
    }
    if (changes) {
      ObjectNode patch = JsonNodeFactory.instance.objectNode();
      patch.putObject("metadata").put("resourceVersion", Long.toString(pod.resourceVersion()));
      patch.putObject("status").set("conditions", conditions);
      write(
          "status of pod " + pod.namespace() + "/" + pod.name(),
          List.of(Event.warning(pod, "NodeNotReady", "Node is not ready")),
          () ->
              api.mergePatch(
                  ResourceType.POD, pod.namespace(), pod.name(), "status", patch.toString()));
    }
  }

  /** Makes the request, and says {@code told} when it has succeeded. */
  private void write(String what, List<Event> told, Supplier<CompletionStage<ApiReply>> call) {
    if (writing.add(what)) {
      getContext()
          .pipeToSelf(
              call.get(),
              (reply, failure) ->
                  new Written(
                      what,
                      told,
                      failure != null
                          ? String.valueOf(failure.getMessage())
                          : reply instanceof ApiReply.Failed failed ? failed.message() : ""));
    }
  }
}
