package dev.paramecium.controller;

import dev.paramecium.agent.kernel.Backoff;
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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Runs one {@link Reconciler}: watches what it must know, asks it about every object that a change
 * concerns, makes the writes, and asks again, later each time, where one failed. An object is
 * planned once at a time, and not before the cache has what was written for it last: otherwise a
 * slow watch would make it do everything twice.
 */
public final class Controller extends AbstractBehavior<Controller.Command> {

  private static final Duration FIRST_RETRY = Duration.ofMillis(50);
  private static final Duration LAST_RETRY = Duration.ofSeconds(30);

  /** A look that takes longer than this is followed by a rest. */
  private static final Duration LONG_LOOK = Duration.ofMillis(5);

  private static final int RESTS_PER_LOOK = 4;
  private static final Duration LONGEST_REST = Duration.ofSeconds(1);

  /** What a controller can be told. */
  public sealed interface Command {}

  /** Ends it. */
  public record Stop() implements Command {}

  private record FromApi(InformerEvent event) implements Command {}

  private record Work() implements Command {}

  private record Again(Reconciler.Key key) implements Command {}

  private record Written(
      Reconciler.Key key, Map<ResourceType, Long> revisions, List<Event> events, String failure)
      implements Command {}

  private final Reconciler reconciler;
  private final ApiClient api;
  private final InstantSource clock;
  private final ActorRef<EventRecorder.Command> events;
  private final TimerScheduler<Command> timers;
  private final ObjectCache cache = new ObjectCache();
  private final Set<ResourceType> unsynced;
  private final LinkedHashSet<Reconciler.Key> queue = new LinkedHashSet<>();
  private final Set<Reconciler.Key> busy = new HashSet<>();
  private final Map<Reconciler.Key, Map<ResourceType, Long>> awaited = new HashMap<>();
  private final Map<Reconciler.Key, Backoff> failing = new HashMap<>();
  private boolean working;
  private Duration rest = Duration.ZERO;

  public static Behavior<Command> create(
      Reconciler reconciler, ApiClient api, InstantSource clock) {
    // It knows nothing that the API server does not tell it again.
    return Behaviors.supervise(
            Behaviors.<Command>withTimers(
                timers ->
                    Behaviors.setup(
                        context -> new Controller(context, timers, reconciler, api, clock))))
        .onFailure(SupervisorStrategy.restartWithBackoff(Duration.ofSeconds(1), LAST_RETRY, 0.1));
  }

  private Controller(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Reconciler reconciler,
      ApiClient api,
      InstantSource clock) {
    super(context);
    this.reconciler = reconciler;
    this.api = api;
    this.clock = clock;
    this.timers = timers;
    this.events = context.spawn(EventRecorder.create(api, clock, reconciler.name(), ""), "events");
    this.unsynced = new HashSet<>(reconciler.watched());
    ActorRef<InformerEvent> subscriber = context.messageAdapter(InformerEvent.class, FromApi::new);
    reconciler.watched().forEach(type -> api.inform(type, "", "", "", subscriber));
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
      case Work _ -> work();
      case Again(Reconciler.Key key) -> enqueue(List.of(key));
      case Written written -> onWritten(written);
    }
    return this;
  }

  private void onApiEvent(InformerEvent event) {
    switch (event) {
      case InformerEvent.Synced(ResourceType type) -> unsynced.remove(type);
      case InformerEvent.Upserted(var old, KubeObject current) -> {
        cache.put(current);
        if (old != null) {
          enqueue(reconciler.concerned(old, cache));
        }
        enqueue(reconciler.concerned(current, cache));
      }
      case InformerEvent.Removed(KubeObject last) -> {
        cache.remove(last);
        enqueue(reconciler.concerned(last, cache));
      }
    }
    workSoon();
  }

  private void enqueue(Iterable<Reconciler.Key> keys) {
    keys.forEach(queue::add);
    workSoon();
  }

  /**
   * After everything that waits in the mailbox: a burst of events is one look. Where looking takes
   * long, as at a ReplicaSet of thousands of pods of which each tells of itself, events gather for
   * a while first: nobody gets more than a fifth of a core.
   */
  private void workSoon() {
    if (!working && unsynced.isEmpty() && !queue.isEmpty()) {
      working = true;
      if (rest.isZero()) {
        getContext().getSelf().tell(new Work());
      } else {
        timers.startSingleTimer("work", new Work(), rest);
      }
    }
  }

  private void work() {
    Instant begin = clock.instant();
    workOnAll();
    Duration took = Duration.between(begin, clock.instant());
    Duration wanted = took.multipliedBy(RESTS_PER_LOOK);
    rest =
        took.compareTo(LONG_LOOK) < 0
            ? Duration.ZERO
            : wanted.compareTo(LONGEST_REST) < 0 ? wanted : LONGEST_REST;
  }

  private void workOnAll() {
    working = false;
    for (Reconciler.Key key : List.copyOf(queue)) {
      if (!busy.contains(key) && isCurrent(key)) {
        queue.remove(key);
        reconcile(key);
      }
    }
  }

  private boolean isCurrent(Reconciler.Key key) {
    Map<ResourceType, Long> revisions = awaited.getOrDefault(key, Map.of());
    boolean current =
        revisions.entrySet().stream().allMatch(e -> cache.hasSeen(e.getKey(), e.getValue()));
    if (current) {
      awaited.remove(key);
    }
    return current;
  }

  private void reconcile(Reconciler.Key key) {
    Reconciler.Plan plan = reconciler.plan(key, cache, clock.instant());
    if (!plan.again().isZero()) {
      timers.startSingleTimer(key, new Again(key), plan.again());
    }
    if (plan.writes().isEmpty()) {
      failing.remove(key);
      return;
    }
    busy.add(key);
    List<CompletableFuture<ApiReply>> replies = new ArrayList<>();
    plan.writes().forEach(write -> replies.add(write.send(api).toCompletableFuture()));
    getContext()
        .pipeToSelf(
            CompletableFuture.allOf(replies.toArray(CompletableFuture[]::new)),
            (_, failure) ->
                failure == null
                    ? outcome(key, plan, replies)
                    : new Written(key, Map.of(), List.of(), failure.toString()));
  }

  private static Written outcome(
      Reconciler.Key key, Reconciler.Plan plan, List<CompletableFuture<ApiReply>> replies) {
    List<Write> writes = plan.writes();
    Map<ResourceType, Long> revisions = new HashMap<>();
    List<Event> events = new ArrayList<>();
    String failure = "";
    for (int i = 0; i < writes.size(); i++) {
      ApiReply reply = replies.get(i).join();
      if (reply instanceof ApiReply.Stored(KubeObject object, boolean _)) {
        revisions.merge(writes.get(i).type(), object.resourceVersion(), Math::max);
      }
      announce(plan, writes.get(i), reply, events);
      if (!writes.get(i).isSettledBy(reply) && reply instanceof ApiReply.Failed failed) {
        failure = failed.message();
      }
    }
    return new Written(key, revisions, events, failure);
  }

  private static void announce(
      Reconciler.Plan plan, Write write, ApiReply reply, List<Event> events) {
    KubeObject written =
        switch (reply) {
          case ApiReply.Stored(KubeObject object, boolean _) -> object;
          case ApiReply.Deleted(KubeObject object) -> object;
          case ApiReply.Listed _, ApiReply.Failed _ -> null;
        };
    if (written != null) {
      plan.announcementOf(write).ifPresent(said -> events.add(said.event(written)));
    }
  }

  private void onWritten(Written written) {
    Reconciler.Key key = written.key();
    busy.remove(key);
    written.events().forEach(events::tell);
    Map<ResourceType, Long> revisions = new HashMap<>(written.revisions());
    revisions.keySet().retainAll(reconciler.watched());
    if (!revisions.isEmpty()) {
      awaited.put(key, revisions);
    }
    if (written.failure().isEmpty()) {
      failing.remove(key);
    } else {
      getContext()
          .getLog()
          .debug("{}: {} is tried again: {}", reconciler.name(), key, written.failure());
      Backoff backoff = failing.computeIfAbsent(key, _ -> new Backoff(FIRST_RETRY, LAST_RETRY));
      timers.startSingleTimer(written, new Again(key), backoff.next());
    }
    workSoon();
  }
}
