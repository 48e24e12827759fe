package dev.paramecium.api;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
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
 * too old, and tells its subscriber only what changed.
 *
 * <p>The API server sends a bookmark every few seconds; silence for {@link #SILENCE} means that the
 * watch is lost (the server was restarted, the link was cut), and it is started again. A bookmark
 * also says how many events went before it: if fewer came, the link lost some, and the informer
 * lists again. Ends with its subscriber.
 */
final class Informer extends AbstractBehavior<Informer.Message> {

  private static final Duration CHECK = Duration.ofSeconds(1);
  private static final Duration SILENCE = Duration.ofSeconds(7);
  private static final Duration RETRY = Duration.ofSeconds(2);
  private static final int ACK_EVERY = ApiWatchEvent.WINDOW / 4;

  /** What an informer is told. */
  sealed interface Message {}

  private record Watched(int generation, ApiWatchEvent event) implements Message {}

  private record Check() implements Message {}

  private record SubscriberGone() implements Message {}

  private final ActorRef<ApiRequest> server;
  private final ResourceType type;
  private final String namespace;
  private final String labelSelector;
  private final String fieldSelector;
  private final ActorRef<InformerEvent> subscriber;
  private final Map<String, KubeObject> known = new HashMap<>();
  private final Set<String> seenInList = new HashSet<>();
  private ActorRef<ApiWatchEvent> watch;
  private int generation;
  private long revision;
  private boolean listing;
  private boolean synced;
  private boolean confirmed;
  private long received;
  private int unacknowledged;
  private int quietChecks;

  static Behavior<Message> create(
      ActorRef<ApiRequest> server,
      ResourceType type,
      String namespace,
      String labelSelector,
      String fieldSelector,
      ActorRef<InformerEvent> subscriber) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new Informer(
                        context,
                        timers,
                        server,
                        type,
                        namespace,
                        labelSelector,
                        fieldSelector,
                        subscriber)));
  }

  private Informer(
      ActorContext<Message> context,
      TimerScheduler<Message> timers,
      ActorRef<ApiRequest> server,
      ResourceType type,
      String namespace,
      String labelSelector,
      String fieldSelector,
      ActorRef<InformerEvent> subscriber) {
    super(context);
    this.server = server;
    this.type = type;
    this.namespace = namespace;
    this.labelSelector = labelSelector;
    this.fieldSelector = fieldSelector;
    this.subscriber = subscriber;
    timers.startTimerWithFixedDelay(new Check(), CHECK);
    context.watchWith(subscriber, new SubscriberGone());
    this.watch = newWatch();
    start();
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Watched.class, this::watched)
        .onMessage(Check.class, _ -> check())
        .onMessage(SubscriberGone.class, _ -> Behaviors.stopped())
        .onSignal(PostStop.class, _ -> stopWatch())
        .build();
  }

  /**
   * A watch of its own name for each attempt, so that what an abandoned one still sends is not
   * mistaken for the new one's.
   */
  private ActorRef<ApiWatchEvent> newWatch() {
    int mine = ++generation;
    ActorRef<Message> self = getContext().getSelf();
    return getContext()
        .spawn(
            Behaviors.receiveMessage(
                (ApiWatchEvent event) -> {
                  self.tell(new Watched(mine, event));
                  return Behaviors.same();
                }),
            "watch-" + mine);
  }

  private void start() {
    listing = revision == 0;
    seenInList.clear();
    confirmed = false;
    received = 0;
    unacknowledged = 0;
    quietChecks = 0;
    server.tell(
        new ApiRequest.Watch(type, namespace, labelSelector, fieldSelector, revision, watch));
  }

  private void restart() {
    server.tell(new ApiRequest.Unwatch(watch));
    getContext().stop(watch);
    watch = newWatch();
    start();
  }

  private Behavior<Message> stopWatch() {
    server.tell(new ApiRequest.Unwatch(watch));
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
      restart();
    }
    return this;
  }

  private Behavior<Message> watched(Watched watched) {
    if (watched.generation() != generation) {
      return this;
    }
    quietChecks = 0;
    confirmed = true;
    if (watched.event() instanceof ApiWatchEvent.Bookmark bookmark && bookmark.sent() != received) {
      revision = 0;
      restart();
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
        restart();
        return this;
      }
    }
    if (++unacknowledged >= ACK_EVERY) {
      server.tell(new ApiRequest.WatchAck(unacknowledged, watch));
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
      subscriber.tell(new InformerEvent.Upserted(old, object));
    }
  }

  private void remove(KubeObject object) {
    revision = Math.max(revision, object.resourceVersion());
    if (known.remove(key(object)) != null) {
      subscriber.tell(new InformerEvent.Removed(object));
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
                  subscriber.tell(new InformerEvent.Removed(entry.getValue()));
                }
                return gone;
              });
      listing = false;
      seenInList.clear();
      if (!synced) {
        synced = true;
        subscriber.tell(new InformerEvent.Synced(type));
      }
    }
    revision = Math.max(revision, bookmark.resourceVersion());
  }
}
