package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Says every ten seconds that the node lives, by its Lease in {@code kube-node-lease} ({@code
 * k8s.io/component-helpers/apimachinery/lease}): a write of a few bytes that nobody but the node
 * lifecycle controller watches, where the Node's status would be kilobytes that everybody hears of.
 */
final class NodeLease extends AbstractBehavior<NodeLease.Command> {

  static final String NAMESPACE = "kube-node-lease";

  /** {@code nodeLeaseDurationSeconds}; it is renewed four times within. */
  static final int DURATION_SECONDS = 40;

  private static final Duration RENEW = Duration.ofSeconds(DURATION_SECONDS / 4);

  private static final DateTimeFormatter MICRO_TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  /** What the lease's keeper tells itself. */
  sealed interface Command {}

  private record Renewed(int code, String error) implements Command {}

  private record Renew() implements Command {}

  private final KubeObject node;
  private final ApiClient api;
  private final InstantSource clock;
  private final TimerScheduler<Command> timers;
  private final Backoff backoff = Backoff.forApi();

  /**
   * The keeper of {@code node}'s lease.
   *
   * @param node as stored: the lease is its own
   */
  static Behavior<Command> create(KubeObject node, ApiClient api, InstantSource clock) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new NodeLease(context, timers, node, api, clock)));
  }

  private NodeLease(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      KubeObject node,
      ApiClient api,
      InstantSource clock) {
    super(context);
    this.node = node;
    this.api = api;
    this.clock = clock;
    this.timers = timers;
    send(api.mergePatch(ResourceType.LEASE, NAMESPACE, node.name(), "", lease(false).toString()));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Renew _ ->
          send(
              api.mergePatch(
                  ResourceType.LEASE, NAMESPACE, node.name(), "", lease(false).toString()));
      case Renewed renewed -> onRenewed(renewed);
    }
    return this;
  }

  private void onRenewed(Renewed renewed) {
    if (renewed.code() == 404) {
      send(api.create(ResourceType.LEASE, new KubeObject(lease(true))));
    } else if (renewed.error().isEmpty()) {
      backoff.reset();
      timers.startSingleTimer(new Renew(), RENEW);
    } else {
      getContext()
          .getLog()
          .info("the lease of node {} is not renewed: {}", node.name(), renewed.error());
      timers.startSingleTimer(new Renew(), backoff.next());
    }
  }

  private void send(CompletionStage<ApiReply> call) {
    getContext()
        .pipeToSelf(
            call,
            (reply, failure) ->
                failure != null
                    ? new Renewed(0, KernelCalls.message(failure))
                    : reply instanceof ApiReply.Failed failed
                        ? new Renewed(failed.code(), failed.message())
                        : new Renewed(200, ""));
  }

  private ObjectNode lease(boolean whole) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (whole) {
      json.put("apiVersion", ResourceType.LEASE.apiVersion());
      json.put("kind", ResourceType.LEASE.kind());
      ObjectNode metadata = json.putObject("metadata");
      metadata.put("name", node.name()).put("namespace", NAMESPACE);
      metadata
          .putArray("ownerReferences")
          .addObject()
          .put("apiVersion", "v1")
          .put("kind", "Node")
          .put("name", node.name())
          .put("uid", node.uid());
    }
    json.putObject("spec")
        .put("holderIdentity", node.name())
        .put("leaseDurationSeconds", DURATION_SECONDS)
        .put("renewTime", time(clock.instant()));
    return json;
  }

  /** {@code metav1.MicroTime}. */
  static String time(Instant instant) {
    return MICRO_TIME.format(instant);
  }
}
