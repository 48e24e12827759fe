package dev.paramecium.agent.health;

import dev.paramecium.agent.kernel.Backoff;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.Errno;
import java.util.List;
import java.util.Map;
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
 * Keeps one {@code cilium-health-responder} running in a network namespace; one that a former agent
 * has left there is taken over.
 */
public final class Responder extends AbstractBehavior<Responder.Command> {

  /** What the keeper tells itself. */
  public sealed interface Command {}

  private record Begun(String error) implements Command {}

  private record Again() implements Command {}

  private record FromContainer(ContainerEvent event) implements Command {}

  private final ContainerSpec spec;
  private final KernelCalls kernel;
  private final TimerScheduler<Command> timers;
  private final ActorRef<ContainerEvent> events;
  private final Backoff backoff = Backoff.forApi();

  /**
   * A responder on {@link HealthProber#PORT}.
   *
   * @param netns empty for the node's own
   * @param address where it listens
   * @param image of the agent
   */
  public static Behavior<Command> create(
      String netns, String address, String image, String hostname, KernelCalls kernel) {
    ContainerSpec spec =
        new ContainerSpec(
            netns.isEmpty() ? "cilium-health-responder" : "cilium-health-responder-" + netns,
            netns,
            hostname,
            "cilium-health-responder",
            image,
            List.of("cilium-health-responder"),
            List.of("--address=" + address, "--listen=" + HealthProber.PORT),
            Map.of(),
            List.of());
    return Behaviors.withTimers(
        timers -> Behaviors.setup(context -> new Responder(context, timers, spec, kernel)));
  }

  private Responder(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ContainerSpec spec,
      KernelCalls kernel) {
    super(context);
    this.timers = timers;
    this.spec = spec;
    this.kernel = kernel;
    this.events = context.messageAdapter(ContainerEvent.class, FromContainer::new);
    begin();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Again _ -> begin();
      case Begun(String error) -> {
        if (!error.isEmpty()) {
          getContext().getLog().warn("cannot start {}: {}", spec.id(), error);
          again();
        }
      }
      case FromContainer(ContainerEvent.Started _) -> backoff.reset();
      case FromContainer(ContainerEvent.Exited _) -> again();
    }
    return this;
  }

  private void again() {
    timers.startSingleTimer(new Again(), backoff.next());
  }

  private void begin() {
    CompletionStage<Done> begun =
        kernel
            .startContainer(spec, events)
            .exceptionallyCompose(
                failure ->
                    KernelCalls.errno(failure) == Errno.EEXIST
                        ? takeOver()
                        : CompletableFuture.failedFuture(failure));
    getContext()
        .pipeToSelf(
            begun, (_, failure) -> new Begun(failure == null ? "" : KernelCalls.message(failure)));
  }

  /** The one that is there runs, or says at once that it has exited and can be removed. */
  private CompletionStage<Done> takeOver() {
    return kernel
        .removeContainer(spec.id())
        .thenCompose(_ -> kernel.startContainer(spec, events))
        .exceptionallyCompose(_ -> kernel.watchContainer(spec.id(), events));
  }
}
