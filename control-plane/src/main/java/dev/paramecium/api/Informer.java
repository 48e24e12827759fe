package dev.paramecium.api;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * One watch, kept going: it resumes after the last revision that it saw, lists again when that is
 * too old, and tells its subscribers only what changed. One that comes later is told everything
 * first.
 *
 * <p>The API server sends a bookmark every few seconds; silence for {@link #SILENCE} means that the
 * watch is lost (the server was restarted, the link was cut), and it is started again. A bookmark
 * also says how many events went before it: if fewer came, the link lost some, and the informer
 * lists again.
 */
final class Informer extends AbstractBehavior<Informer.Message> {

  private static final Duration CHECK = Duration.ofSeconds(1);
  private static final Duration SILENCE = Duration.ofSeconds(7);
  private static final Duration RETRY = Duration.ofSeconds(2);
  private static final int ACK_EVERY = ApiWatchEvent.WINDOW / 4;

  /** What an informer is told. */
  sealed interface Message {}

  private record Watched(int attempt, ApiWatchEvent event) implements Message {}

  private record Check() implements Message {}

  /** A subscriber that asks again, as after a restart, is told everything again. */
  record Subscribe(ActorRef<InformerEvent> subscriber) implements Message {}

  private record SubscriberGone(ActorRef<InformerEvent> subscriber) implements Message {}

  private final WatchAttempts<Message> watch;
  private final Informers.Subject subject;
  private final ActorRef<Informers.Command> owner;
  private final Set<ActorRef<InformerEvent>> subscribers = new LinkedHashSet<>();
  private final Map<String, KubeObject> known = new HashMap<>();
  private final Set<String> seenInList = new HashSet<>();
  private long revision;
  private boolean listing;
  private boolean synced;
  private boolean confirmed;
  private long received;
  private int unacknowledged;
  private int quietChecks;
  private long subscriptions;

  /**
   * A watch of {@code subject}.
   *
   * @param owner is told when the last subscriber has gone
   */
  static Behavior<Message> create(
      ActorRef<ApiRequest> server, Informers.Subject subject, ActorRef<Informers.Command> owner) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new Informer(context, timers, server, subject, owner)));
  }

  private Informer(
      ActorContext<Message> context,
      TimerScheduler<Message> timers,
      ActorRef<ApiRequest> server,
      Informers.Subject subject,
      ActorRef<Informers.Command> owner) {
    super(context);
    this.watch = new WatchAttempts<>(context, server, Watched::new);
    this.subject = subject;
    this.owner = owner;
    timers.startTimerWithFixedDelay(new Check(), CHECK);
    start();
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Watched.class, this::watched)
        .onMessage(Check.class, _ -> check())
        .onMessage(Subscribe.class, subscribe -> subscribe(subscribe.subscriber()))
        .onMessage(SubscriberGone.class, gone -> forget(gone.subscriber()))
        .onSignal(PostStop.class, _ -> end())
        .build();
  }

  private Behavior<Message> subscribe(ActorRef<InformerEvent> subscriber) {
    subscriptions++;
    if (subscribers.add(subscriber)) {
      getContext().watchWith(subscriber, new SubscriberGone(subscriber));
    }
    known.values().forEach(object -> subscriber.tell(new InformerEvent.Upserted(null, object)));
    if (synced) {
      subscriber.tell(new InformerEvent.Synced(subject.type()));
    }
    return this;
  }

  private Behavior<Message> forget(ActorRef<InformerEvent> subscriber) {
    subscribers.remove(subscriber);
    if (subscribers.isEmpty()) {
      owner.tell(new Informers.Idle(subject, subscriptions));
    }
    return this;
  }

  private void tell(InformerEvent event) {
    subscribers.forEach(subscriber -> subscriber.tell(event));
  }

  private void start() {
    listing = revision == 0;
    seenInList.clear();
    confirmed = false;
    received = 0;
    unacknowledged = 0;
    quietChecks = 0;
    watch.ask(
        subscriber ->
            new ApiRequest.Watch(
                subject.type(),
                subject.namespace(),
                subject.labelSelector(),
                subject.fieldSelector(),
                revision,
                subscriber));
  }

  private Behavior<Message> end() {
    watch.end();
    return this;
  }

  /**
   * Before the first event of an attempt, silence is shorter: the server may not have been there to
   * hear the request.
   */
  private Behavior<Message> check() {
    quietChecks++;
    Duration limit = confirmed ? SILENCE : RETRY;
    if (quietChecks > limit.toSeconds()) {
      start();
    }
    return this;
  }

  private Behavior<Message> watched(Watched watched) {
    if (!watch.isPresent(watched.attempt())) {
      return this;
    }
    quietChecks = 0;
    confirmed = true;
    if (watched.event() instanceof ApiWatchEvent.Bookmark bookmark && bookmark.sent() != received) {
      revision = 0;
      start();
      return this;
    }
    received++;
    switch (watched.event()) {
      case ApiWatchEvent.Added added -> upsert(added.object());
      case ApiWatchEvent.Modified modified -> upsert(modified.object());
      case ApiWatchEvent.Deleted deleted -> remove(deleted.object());
      case ApiWatchEvent.Bookmark bookmark -> bookmark(bookmark);
      case ApiWatchEvent.Expired _ -> {
        revision = 0;
        start();
        return this;
      }
    }
    if (++unacknowledged >= ACK_EVERY) {
      watch.acknowledge(unacknowledged);
      unacknowledged = 0;
    }
    return this;
  }

  private static String key(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  private void upsert(KubeObject object) {
    if (listing) {
      seenInList.add(key(object));
    } else {
      revision = Math.max(revision, object.resourceVersion());
    }
    KubeObject old = known.put(key(object), object);
    if (old == null || old.resourceVersion() != object.resourceVersion()) {
      tell(new InformerEvent.Upserted(old, object));
    }
  }

  private void remove(KubeObject object) {
    revision = Math.max(revision, object.resourceVersion());
    if (known.remove(key(object)) != null) {
      tell(new InformerEvent.Removed(object));
    }
  }

  private void bookmark(ApiWatchEvent.Bookmark bookmark) {
    if (bookmark.initialEventsEnd()) {
      known
          .entrySet()
          .removeIf(
              entry -> {
                boolean gone = !seenInList.contains(entry.getKey());
                if (gone) {
                  tell(new InformerEvent.Removed(entry.getValue()));
                }
                return gone;
              });
      listing = false;
      seenInList.clear();
      if (!synced) {
        synced = true;
        tell(new InformerEvent.Synced(subject.type()));
      }
    }
    revision = Math.max(revision, bookmark.resourceVersion());
  }
}
