package dev.paramecium.chaos;

import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.InformerEvent;
import dev.paramecium.api.KubeObject;
import java.time.Duration;
import java.util.ArrayList;
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
 * Does to the targets of one kind of experiment what its records ask, where the means for it are,
 * and writes into each record what it did, or why it could not.
 *
 * <pre>
 *   desiredPhase Run,  record Not Injected --&gt; {@link Action#inject} --&gt; Injected
 *   desiredPhase Stop, record Injected     --&gt; {@link Action#recover} --&gt; Not Injected
 * </pre>
 *
 * One target of an object at a time. Without the API server what was done stays as it is.
 */
final class Executor extends AbstractBehavior<Executor.Command> {

  private static final Duration RETRY = Duration.ofMillis(300);
  private static final Duration SETTLE = Duration.ofMillis(20);

  /** What the executor can be told. */
  sealed interface Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Look(Reconciled key) implements Command {}

  private record Acted(
      Reconciled key, Target target, KubeObject chaos, boolean inject, String failure)
      implements Command {}

  private record Written(Reconciled key, boolean done) implements Command {}

  private record Reconciled(String namespace, String name) {

    static Reconciled of(KubeObject object) {
      return new Reconciled(object.namespace(), object.name());
    }

    @Override
    public String toString() {
      return namespace.isEmpty() ? name : namespace + "/" + name;
    }
  }

  /** One record of one object. */
  private record Target(String chaosUid, String id, String selectorKey, String uid) {}

  private final Action action;
  private final ApiClient api;
  private final TimerScheduler<Command> timers;
  private final Map<Reconciled, KubeObject> objects = new HashMap<>();
  private final Map<Target, KubeObject> done = new HashMap<>();
  private final Set<Reconciled> busy = new HashSet<>();

  private Executor(
      ActorContext<Command> context, TimerScheduler<Command> timers, Action action, ApiClient api) {
    super(context);
    this.action = action;
    this.api = api;
    this.timers = timers;
    ActorRef<InformerEvent> subscriber = context.messageAdapter(InformerEvent.class, FromApi::new);
    api.inform(action.type(), "", "", "", subscriber);
  }

  static Behavior<Command> create(Action action, ApiClient api) {
    return Behaviors.withTimers(
        timers -> Behaviors.setup(context -> new Executor(context, timers, action, api)));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case FromApi(InformerEvent event) -> onApiEvent(event);
      case Look(Reconciled key) -> look(key);
      case Acted acted -> onActed(acted);
      case Written(Reconciled key, boolean written) -> {
        busy.remove(key);
        // The object as it was written comes by the watch.
        timers.startSingleTimer(key, new Look(key), written ? SETTLE : RETRY);
      }
    }
    return this;
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced _ -> {}
      case InformerEvent.Upserted(var _, KubeObject current) -> {
        objects.put(Reconciled.of(current), current);
        look(Reconciled.of(current));
      }
      case InformerEvent.Removed(KubeObject last) -> {
        objects.remove(Reconciled.of(last));
        look(Reconciled.of(last));
      }
    }
  }

  private void look(Reconciled key) {
    if (busy.contains(key)) {
      return; // it is looked at again when that is over
    }
    KubeObject chaos = objects.get(key);
    for (Target target : List.copyOf(done.keySet())) {
      KubeObject last = done.get(target);
      boolean gone = chaos == null || !chaos.uid().equals(target.chaosUid());
      if (last != null && gone && Reconciled.of(last).equals(key)) {
        act(key, target, last, false); // deleted by force
        return;
      }
    }
    if (chaos == null) {
      return;
    }
    boolean run = new Experiment(chaos).runs();
    for (Experiment.Record record : new Experiment(chaos).records()) {
      if (action.isMine(record) && step(key, chaos, record, run)) {
        return;
      }
    }
  }

  /** Whether there was something to do. */
  private boolean step(Reconciled key, KubeObject chaos, Experiment.Record record, boolean run) {
    Target target = target(chaos, record);
    boolean is = done.containsKey(target);
    if (run && !is && (!record.isInjected() || action.endsWithThisProcess())) {
      act(key, target, chaos, true);
    } else if (run && is && !record.isInjected()) {
      write(key, chaos, record.in(Experiment.Phase.INJECTED));
    } else if (!run && (is || record.isInjected())) {
      act(key, target, chaos, false);
    } else {
      return false;
    }
    return true;
  }

  private static Target target(KubeObject chaos, Experiment.Record record) {
    return new Target(chaos.uid(), record.id(), record.selectorKey(), record.uid());
  }

  private void act(Reconciled key, Target target, KubeObject chaos, boolean inject) {
    busy.add(key);
    CompletionStage<Done> call;
    try {
      call = inject ? action.inject(chaos, target.id()) : action.recover(chaos, target.id());
    } catch (IllegalArgumentException | IllegalStateException e) {
      call = CompletableFuture.failedFuture(e);
    }
    getContext()
        .pipeToSelf(
            call,
            (_, failure) ->
                new Acted(
                    key,
                    target,
                    chaos,
                    inject,
                    failure == null ? "" : KernelCalls.message(failure)));
  }

  private void onActed(Acted acted) {
    busy.remove(acted.key());
    if (acted.failure().isEmpty()) {
      if (acted.inject()) {
        done.put(acted.target(), acted.chaos());
      } else {
        done.remove(acted.target());
      }
    } else {
      getContext()
          .getLog()
          .warn(
              "cannot {} {} of {} {}: {}",
              acted.inject() ? "inject" : "recover",
              acted.target().id(),
              action.type().kind(),
              acted.key(),
              acted.failure());
    }
    KubeObject chaos = objects.get(acted.key());
    if (chaos == null || !chaos.uid().equals(acted.target().chaosUid())) {
      timers.startSingleTimer(acted.key(), new Look(acted.key()), RETRY);
      return;
    }
    for (Experiment.Record record : new Experiment(chaos).records()) {
      if (target(chaos, record).equals(acted.target())) {
        write(
            acted.key(),
            chaos,
            !acted.failure().isEmpty()
                ? record.failed(acted.failure())
                : record.in(
                    acted.inject() ? Experiment.Phase.INJECTED : Experiment.Phase.NOT_INJECTED));
      }
    }
  }

  /** Tells one record in the object's status; another's write in between is not overwritten. */
  private void write(Reconciled key, KubeObject chaos, Experiment.Record told) {
    Experiment experiment = new Experiment(chaos);
    List<Experiment.Record> records = new ArrayList<>();
    for (Experiment.Record record : experiment.records()) {
      records.add(record.isOf(told) ? told : record);
    }
    KubeObject next = experiment.withStatus(experiment.runs(), records);
    boolean failed = !told.message().isEmpty();
    if (next.equals(chaos)) {
      timers.startSingleTimer(key, new Look(key), RETRY);
      return;
    }
    busy.add(key);
    getContext()
        .pipeToSelf(
            api.updateStatus(action.type(), next),
            (reply, failure) ->
                new Written(key, !failed && failure == null && reply instanceof ApiReply.Stored));
  }
}
