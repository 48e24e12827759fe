package dev.paramecium.events;

import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Deletes events that nobody has told again for an hour: what a lease in etcd does for
 * kube-apiserver ({@code --event-ttl}).
 */
public final class EventExpiry extends AbstractBehavior<EventExpiry.Command> {

  /** {@code --event-ttl}. */
  public static final Duration TTL = Duration.ofHours(1);

  /** How often the cluster looks. */
  public static final Duration PERIOD = Duration.ofMinutes(1);

  /** How many are deleted at once; the others wait for the next look. */
  private static final int BATCH = 500;

  /** What it can be told. */
  public sealed interface Command {}

  private record Look() implements Command {}

  private record Found(List<KubeObject> events) implements Command {}

  private record Deleted(int count) implements Command {}

  private final ApiClient api;
  private final InstantSource clock;
  private final TimerScheduler<Command> timers;
  private final Duration period;

  /**
   * The expiry of events.
   *
   * @param period between two looks
   */
  public static Behavior<Command> create(ApiClient api, InstantSource clock, Duration period) {
    return Behaviors.withTimers(
        timers -> Behaviors.setup(context -> new EventExpiry(context, timers, api, clock, period)));
  }

  private EventExpiry(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ApiClient api,
      InstantSource clock,
      Duration period) {
    super(context);
    this.api = api;
    this.clock = clock;
    this.timers = timers;
    this.period = period;
    lookLater();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Look _ -> look();
      case Found(List<KubeObject> events) -> delete(events);
      case Deleted(int count) -> {
        getContext().getLog().debug("{} events expired", count);
        lookLater();
      }
    }
    return this;
  }

  private void lookLater() {
    timers.startSingleTimer(new Look(), period);
  }

  private void look() {
    getContext()
        .pipeToSelf(
            api.list(ResourceType.EVENT, "", "", ""),
            (reply, _) ->
                new Found(reply instanceof ApiReply.Listed listed ? listed.objects() : List.of()));
  }

  private void delete(List<KubeObject> events) {
    Instant expired = clock.instant().minus(TTL);
    List<CompletableFuture<ApiReply>> deletions =
        events.stream()
            .filter(event -> !lastTold(event).isAfter(expired))
            .limit(BATCH)
            .map(
                event ->
                    api.delete(ResourceType.EVENT, event.namespace(), event.name(), -1, event.uid())
                        .toCompletableFuture())
            .toList();
    getContext()
        .pipeToSelf(
            CompletableFuture.allOf(deletions.toArray(CompletableFuture[]::new)),
            (_, _) -> new Deleted(deletions.size()));
  }

  /** When it was stored or counted up for the last time. */
  private static Instant lastTold(KubeObject event) {
    return Stream.of(
            "/metadata/creationTimestamp",
            "/lastTimestamp",
            "/eventTime",
            "/series/lastObservedTime")
        .map(pointer -> time(event.text(pointer)))
        .max(Instant::compareTo)
        .orElse(Instant.EPOCH);
  }

  private static Instant time(String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      return Instant.EPOCH;
    }
  }
}
