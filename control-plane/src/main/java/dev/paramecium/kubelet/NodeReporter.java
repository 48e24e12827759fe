package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.agent.CiliumAgent.AgentStatus;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The kubelet's word about its node: registers the Node, keeps its Lease renewed, and writes its
 * status when something in it changes, when somebody else has changed it (as the node lifecycle
 * controller does with a node that is not heard), and otherwise every five minutes.
 */
final class NodeReporter extends AbstractBehavior<NodeReporter.Command> {

  /** {@code --node-status-update-frequency}: how often the status is looked at. */
  static final Duration LOOK = Duration.ofSeconds(10);

  /** {@code nodeStatusReportFrequency}: how often it is written although nothing has changed. */
  private static final Duration REPORT = Duration.ofMinutes(5);

  private static final Duration AGENT_POLL = Duration.ofMillis(100);
  private static final Duration ASK = Duration.ofSeconds(3);

  /** What the reporter tells itself. */
  sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Registered(String error) implements Command {}

  private record Reported(Instant at, String error) implements Command {}

  private record AgentHeard(boolean ready) implements Command {}

  private record Register() implements Command {}

  private record Look() implements Command {}

  private record PollAgent() implements Command {}

  private final NodeConfig config;
  private final ActorRef<CiliumAgent.Command> agent;
  private final ApiClient api;
  private final InstantSource clock;
  private final TimerScheduler<Command> timers;
  private final NodeObject node;
  private final ActorRef<EventRecorder.Command> events;
  private final Map<String, String> told = new HashMap<>();
  private final Backoff backoff = Backoff.forApi();
  private @Nullable KubeObject stored;
  private Instant reported = Instant.MIN;
  private boolean networkReady;
  private boolean reporting;

  static Behavior<Command> create(
      NodeConfig config,
      ActorRef<CiliumAgent.Command> agent,
      ApiClient api,
      InstantSource clock,
      String bootId,
      ActorRef<EventRecorder.Command> events) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new NodeReporter(context, timers, config, agent, api, clock, bootId, events)));
  }

  private NodeReporter(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      NodeConfig config,
      ActorRef<CiliumAgent.Command> agent,
      ApiClient api,
      InstantSource clock,
      String bootId,
      ActorRef<EventRecorder.Command> events) {
    super(context);
    this.events = events;
    this.config = config;
    this.agent = agent;
    this.api = api;
    this.clock = clock;
    this.timers = timers;
    this.node = new NodeObject(config, bootId);
    register();
    pollAgent();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Register _ -> register();
      case Registered done -> onRegistered(done);
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case Look _ -> look();
      case Reported done -> onReported(done);
      case PollAgent _ -> pollAgent();
      case AgentHeard heard -> onAgentHeard(heard);
    }
    return this;
  }

  // ---- the Node

  private void register() {
    getContext()
        .pipeToSelf(
            api.create(ResourceType.NODE, node.create()),
            (reply, failure) -> new Registered(error(reply, failure, 409)));
  }

  /** What went wrong, empty if nothing did or if the server answered {@code harmless}. */
  private static String error(@Nullable ApiReply reply, @Nullable Throwable failure, int harmless) {
    if (failure != null) {
      return KernelCalls.message(failure);
    }
    return reply instanceof ApiReply.Failed failed && failed.code() != harmless
        ? failed.message()
        : "";
  }

  private void onRegistered(Registered done) {
    if (!done.error().isEmpty()) {
      getContext()
          .getLog()
          .info("cannot register node {} yet: {}", config.nodeName(), done.error());
      timers.startSingleTimer(new Register(), backoff.next());
      return;
    }
    backoff.reset();
    api.inform(
        ResourceType.NODE,
        "",
        "",
        "metadata.name=" + config.nodeName(),
        getContext().messageAdapter(InformerEvent.class, FromApi::new));
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced _ -> {}
      case InformerEvent.Upserted(KubeObject _, KubeObject current) -> {
        boolean first = stored == null;
        stored = current;
        if (first) {
          timers.startTimerWithFixedDelay(new Look(), LOOK);
          getContext().spawn(NodeLease.create(current, api, clock), "lease");
        }
        look();
      }
      case InformerEvent.Removed(KubeObject last) ->
          getContext().getLog().warn("node {} was deleted: it is no more reported", last.name());
    }
  }

  // ---- its status

  /** Writes the status if there is a reason to. */
  private void look() {
    KubeObject known = stored;
    if (known == null || reporting) {
      return;
    }
    Instant now = clock.instant();
    ObjectNode status = node.status(networkReady, now);
    boolean due = reported.equals(Instant.MIN) || !now.isBefore(reported.plus(REPORT));
    if (!due && statuses(status).equals(statuses(known.at("/status")))) {
      return;
    }
    reporting = true;
    tell(known, status);
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch.set("status", status);
    getContext()
        .pipeToSelf(
            api.mergePatch(ResourceType.NODE, "", config.nodeName(), "status", patch.toString()),
            (reply, failure) -> new Reported(now, error(reply, failure, 0)));
  }

  /** The kubelet's events about its node: at its start, and when a condition has changed. */
  private void tell(KubeObject known, ObjectNode status) {
    if (told.isEmpty()) {
      events.tell(Event.normal(known, "Starting", "Starting kubelet."));
    }
    statuses(status)
        .forEach(
            (type, holds) -> {
              String reason = reason(type, holds);
              boolean first = !told.containsKey(type);
              boolean changed = !holds.equals(told.put(type, holds));
              // A node that begins is not ready yet: that is no change.
              if (changed && !reason.isEmpty() && !(first && reason.equals("NodeNotReady"))) {
                String message = "Node " + known.name() + " status is now: " + reason;
                events.tell(Event.normal(known, reason, message));
              }
            });
  }

  /** What the kubelet calls it ({@code pkg/kubelet/nodestatus}); empty for what is another's. */
  private static String reason(String condition, String status) {
    boolean holds = status.equals("True");
    return switch (condition) {
      case "Ready" -> holds ? "NodeReady" : "NodeNotReady";
      case "MemoryPressure" -> holds ? "NodeHasInsufficientMemory" : "NodeHasSufficientMemory";
      case "DiskPressure" -> holds ? "NodeHasDiskPressure" : "NodeHasNoDiskPressure";
      case "PIDPressure" -> holds ? "NodeHasInsufficientPID" : "NodeHasSufficientPID";
      default -> "";
    };
  }

  /** Whether each condition holds. */
  private static Map<String, String> statuses(JsonNode status) {
    Map<String, String> statuses = new LinkedHashMap<>();
    for (JsonNode condition : status.path("conditions")) {
      statuses.put(condition.path("type").asText(), condition.path("status").asText());
    }
    return statuses;
  }

  private void onReported(Reported done) {
    reporting = false;
    if (done.error().isEmpty()) {
      reported = done.at();
      backoff.reset();
    } else {
      getContext()
          .getLog()
          .info("status of node {} is not written: {}", config.nodeName(), done.error());
      timers.startSingleTimer("soon", new Look(), backoff.next());
    }
  }

  /** Whether the network is up: asked often until it is, then as often as the status. */
  private void pollAgent() {
    CompletionStage<AgentStatus> status =
        AskPattern.ask(
            agent, CiliumAgent.ReadStatus::new, ASK, getContext().getSystem().scheduler());
    getContext()
        .pipeToSelf(status, (now, failure) -> new AgentHeard(failure == null && now.ready()));
  }

  private void onAgentHeard(AgentHeard heard) {
    if (heard.ready() != networkReady) {
      networkReady = heard.ready();
      reported = Instant.MIN;
      look();
      if (reporting) {
        // The one under way may say the old state.
        timers.startSingleTimer("soon", new Look(), AGENT_POLL);
      }
    }
    timers.startSingleTimer(new PollAgent(), networkReady ? LOOK : AGENT_POLL);
  }
}
