package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.KubeObject;
import dev.paramecium.kubelet.HandlerRunner.Outcome;
import dev.paramecium.kubelet.HandlerRunner.Result;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * What runs after a container's start and before its end: {@code postStart} and {@code preStop}.
 * Used by the pod's worker only, which hears of each hook's end by {@link PodWorker.HookEnded}.
 */
final class ContainerHooks {

  /** Which hook. */
  enum Hook {
    POST_START("postStart"),
    PRE_STOP("preStop");

    private final String field;

    Hook(String field) {
      this.field = field;
    }
  }

  /** How long a postStart hook may take; nothing else limits it. */
  private static final Duration POST_START_LIMIT = Duration.ofMinutes(5);

  /**
   * What a container gets after its hook took all of the grace period ({@code minimumGracePeriod}).
   */
  private static final Duration MINIMUM_GRACE = Duration.ofSeconds(2);

  private final ActorContext<PodWorker.Command> context;
  private final HandlerRunner runner;
  private final KernelCalls kernel;
  private final InstantSource clock;
  private final PodEvents events;

  ContainerHooks(
      ActorContext<PodWorker.Command> context,
      HandlerRunner runner,
      KernelCalls kernel,
      InstantSource clock,
      PodEvents events) {
    this.context = context;
    this.runner = runner;
    this.kernel = kernel;
    this.clock = clock;
    this.events = events;
  }

  private static @Nullable Handler handler(ContainerRecord container, Hook hook) {
    JsonNode json = container.spec.path("lifecycle").path(hook.field);
    return container.role == ContainerRecord.Role.MAIN ? Handler.parse(json) : null;
  }

  /**
   * Runs the postStart hook.
   *
   * @return false if there is none
   */
  boolean postStart(ContainerRecord container, String podIp) {
    Handler handler = handler(container, Hook.POST_START);
    if (handler == null) {
      return false;
    }
    run(container, podIp, Hook.POST_START, handler, POST_START_LIMIT);
    return true;
  }

  /** Ends a container: preStop hook, SIGTERM, and SIGKILL when {@code grace} is over. */
  void kill(KubeObject pod, ContainerRecord container, String podIp, Duration grace) {
    Handler handler = handler(container, Hook.PRE_STOP);
    boolean first = container.killAt == null;
    container.killAt = clock.instant().plus(grace);
    if (handler == null || grace.isZero() || !first || !container.isRunning()) {
      stop(pod, container, grace);
    } else {
      run(container, podIp, Hook.PRE_STOP, handler, grace);
    }
  }

  private void run(
      ContainerRecord container, String podIp, Hook hook, Handler handler, Duration limit) {
    String id = container.id;
    CompletionStage<Outcome> outcome = runner.hook(container, podIp, handler, limit);
    context.pipeToSelf(
        outcome,
        (done, failure) ->
            new PodWorker.HookEnded(id, hook, failure == null && done.result() == Result.SUCCESS));
  }

  /** The hook before the end is over; the container gets what is left of its grace period. */
  void preStopped(KubeObject pod, ContainerRecord container, boolean succeeded) {
    if (!succeeded) {
      events.hookFailed(pod, container, Hook.PRE_STOP);
    }
    Instant at = container.killAt == null ? clock.instant() : container.killAt;
    Duration left = Duration.between(clock.instant(), at);
    stop(pod, container, left.compareTo(MINIMUM_GRACE) < 0 ? MINIMUM_GRACE : left);
  }

  private void stop(KubeObject pod, ContainerRecord container, Duration grace) {
    String what = "stop container " + container.name() + " of pod " + pod.name();
    context.pipeToSelf(
        kernel.stopContainer(container.id, grace.toMillis()),
        (_, failure) -> PodWorker.attempted(what, failure));
  }
}
