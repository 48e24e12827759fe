package dev.paramecium.kubelet;

import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.kubelet.HandlerRunner.Outcome;
import dev.paramecium.kubelet.HandlerRunner.Result;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * One probe of one run of a container ({@code pkg/kubelet/prober/worker.go}): probes it again and
 * again, and says so when successes or failures in a row reach their threshold.
 *
 * <pre>
 *   (initial delay) -&gt; probe -&gt; (period) -&gt; probe -&gt; …   at most one at a time
 *                        '-- threshold reached, and not what was said last --&gt; verdict
 * </pre>
 */
final class ProbeWorker extends AbstractBehavior<ProbeWorker.Command> {

  /** What a worker tells itself. */
  sealed interface Command {}

  private record Probed(Outcome outcome) implements Command {}

  private enum Tick implements Command {
    FIRST,
    NEXT
  }

  /** What is asked and who hears of it. */
  record Wiring(
      Supplier<CompletionStage<Outcome>> probe,
      Consumer<Outcome> unhappy,
      Consumer<Boolean> verdict) {}

  private final ProbeSpec spec;
  private final Wiring wiring;
  private final TimerScheduler<Command> timers;
  private boolean probing;
  private Result last = Result.ERROR;
  private int inARow;
  private boolean told;
  private boolean healthy;

  /**
   * A worker that probes until it is stopped.
   *
   * @param delay before the first probe
   */
  static Behavior<Command> create(ProbeSpec spec, Duration delay, Wiring wiring) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new ProbeWorker(context, timers, spec, delay, wiring)));
  }

  private ProbeWorker(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ProbeSpec spec,
      Duration delay,
      Wiring wiring) {
    super(context);
    this.spec = spec;
    this.timers = timers;
    this.wiring = wiring;
    timers.startSingleTimer(Tick.FIRST, delay.isPositive() ? delay : Duration.ofMillis(1));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Tick.FIRST -> {
        timers.startTimerWithFixedDelay(Tick.NEXT, spec.period());
        probe();
      }
      case Tick.NEXT -> probe();
      case Probed(Outcome outcome) -> onProbed(outcome);
    }
    // After a container's death sentence nobody needs to hear more; its next run has new probes.
    boolean condemned = told && !healthy && spec.kind() != ProbeSpec.Kind.READINESS;
    return condemned ? Behaviors.stopped() : this;
  }

  private void probe() {
    if (probing) {
      return;
    }
    probing = true;
    getContext()
        .pipeToSelf(
            wiring.probe().get(),
            (outcome, failure) ->
                new Probed(
                    failure == null
                        ? outcome
                        : new Outcome(Result.ERROR, KernelCalls.message(failure))));
  }

  private void onProbed(Outcome outcome) {
    probing = false;
    if (outcome.result() != Result.SUCCESS) {
      wiring.unhappy().accept(outcome);
    }
    if (outcome.result() == Result.ERROR) {
      return; // thrown away: it says nothing about the container
    }
    boolean good = outcome.result() != Result.FAILURE;
    Result now = good ? Result.SUCCESS : Result.FAILURE;
    inARow = now == last ? inARow + 1 : 1;
    last = now;
    int threshold = good ? spec.successThreshold() : spec.failureThreshold();
    if (inARow >= threshold && (!told || healthy != good)) {
      told = true;
      healthy = good;
      wiring.verdict().accept(good);
    }
  }
}
