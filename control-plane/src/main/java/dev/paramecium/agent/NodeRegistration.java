package dev.paramecium.agent;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Keeps this node's CiliumNode in the API server: made at the start, again when somebody deleted
 * it, and completed with the node's addresses once they are known. What fails is tried until it
 * succeeds.
 */
final class NodeRegistration extends AbstractBehavior<NodeRegistration.Command> {

  private static final Duration AFTER_DELETION = Duration.ofSeconds(1);

  sealed interface Command {}

  /** Makes the CiliumNode; one that is there already will do. */
  record Register() implements Command {}

  /**
   * The node's own addresses, to be said from now on.
   *
   * @param healthIp null if the node has no health endpoint
   */
  record Announce(Ipv4Address routerIp, @Nullable Ipv4Address healthIp) implements Command {}

  /** The CiliumNode was deleted, by somebody who meant another or who wants it made anew. */
  record Lost() implements Command {}

  private record Registered(String error) implements Command {}

  private record Announced(String error) implements Command {}

  private record AnnounceAgain() implements Command {}

  private final NodeConfig config;
  private final ApiClient api;
  private final TimerScheduler<Command> timers;
  private final Runnable onRegistered;
  private final Backoff backoff = Backoff.forApi();
  private @Nullable Announce addresses;

  /**
   * @param onRegistered called on this actor's thread each time that the CiliumNode is known to
   *     exist
   */
  static Behavior<Command> create(NodeConfig config, ApiClient api, Runnable onRegistered) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> new NodeRegistration(context, timers, config, api, onRegistered)));
  }

  private NodeRegistration(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      NodeConfig config,
      ApiClient api,
      Runnable onRegistered) {
    super(context);
    this.timers = timers;
    this.config = config;
    this.api = api;
    this.onRegistered = onRegistered;
    register();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Register _ -> register();
      case Announce given -> {
        addresses = given;
        announce();
      }
      case AnnounceAgain _ -> announce();
      case Lost _ -> {
        register();
        timers.startSingleTimer(new AnnounceAgain(), AFTER_DELETION);
      }
      case Registered(String error) -> {
        if (error.isEmpty()) {
          backoff.reset();
          onRegistered.run();
        } else {
          getContext().getLog().info("cannot register CiliumNode yet: {}", error);
          timers.startSingleTimer(new Register(), backoff.next());
        }
      }
      case Announced(String error) -> {
        if (error.isEmpty()) {
          backoff.reset();
        } else {
          getContext().getLog().info("cannot announce this node yet: {}", error);
          timers.startSingleTimer(new AnnounceAgain(), backoff.next());
        }
      }
    }
    return this;
  }

  private void register() {
    getContext()
        .pipeToSelf(
            api.create(ResourceType.CILIUM_NODE, CiliumNodes.create(config)),
            (reply, failure) -> new Registered(error(reply, failure, 409)));
  }

  private void announce() {
    if (addresses != null) {
      getContext()
          .pipeToSelf(
              api.mergePatch(
                  ResourceType.CILIUM_NODE,
                  "",
                  config.nodeName(),
                  "",
                  CiliumNodes.patch(config.nodeIp(), addresses.routerIp(), addresses.healthIp())),
              (reply, failure) -> new Announced(error(reply, failure, 0)));
    }
  }

  /** What went wrong, empty if nothing did or only what {@code forgiven} stands for. */
  private static String error(@Nullable ApiReply reply, @Nullable Throwable failure, int forgiven) {
    return failure != null
        ? KernelCalls.message(failure)
        : reply instanceof ApiReply.Failed failed && failed.code() != forgiven
            ? failed.message()
            : "";
  }
}
