package dev.paramecium.events;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Writes one component's events as core/v1 Events ({@code client-go/tools/record}). One write is
 * under way at a time; what comes meanwhile waits in a queue, and what does not fit there is
 * dropped and counted: an event never holds up what it is about. The same event again within ten
 * minutes counts the first one up instead of being a second object.
 */
public final class EventRecorder extends AbstractBehavior<EventRecorder.Command> {

  /** How many events may wait ({@code maxQueuedEvents}). */
  static final int MAX_QUEUED = 1000;

  /** How long the same event is the same ({@code defaultAggregateIntervalInSeconds}). */
  static final Duration SAME_EVENT = Duration.ofMinutes(10);

  /** How many events are remembered ({@code maxLruCacheEntries}). */
  private static final int MAX_REMEMBERED = 4096;

  private static final int MAX_TRIES = 12;
  private static final Duration RETRY = Duration.ofSeconds(10);

  /** What a recorder can be told: an {@link Event}, and what it tells itself. */
  public sealed interface Command permits Event, Written, Retry {}

  /** The answer to the write under way; null if the request itself broke off. */
  record Written(@Nullable ApiReply reply) implements Command {}

  /** The write under way is tried again. */
  record Retry() implements Command {}

  /** An event and when it happened. */
  private record Waiting(Event event, Instant at) {}

  /** What makes two events the same. */
  private record Key(
      String kind,
      String namespace,
      String name,
      String uid,
      String fieldPath,
      String type,
      String reason,
      String message) {

    static Key of(Event event) {
      KubeObject about = event.about();
      return new Key(
          about.kind(),
          about.namespace(),
          about.name(),
          about.uid(),
          event.fieldPath(),
          event.type().word(),
          event.reason(),
          event.message());
    }
  }

  /** What the API server has of an event. */
  private record Recorded(String name, int count, Instant last) {}

  private final ApiClient api;
  private final InstantSource clock;
  private final String component;
  private final String host;
  private final TimerScheduler<Command> timers;
  private final Queue<Waiting> queue = new ArrayDeque<>();
  private final Map<Key, Recorded> recorded =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Recorded> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };
  private @Nullable Waiting writing;
  private Recorded outcome = new Recorded("", 0, Instant.EPOCH);
  private int tries;
  private long lastNameNanos;
  private long dropped;

  /**
   * A recorder.
   *
   * @param component who speaks, in words: {@code kubelet}
   * @param host the node that it speaks from, empty where that does not matter
   */
  public static Behavior<Command> create(
      ApiClient api, InstantSource clock, String component, String host) {
    return Behaviors.withTimers(
        timers ->
            Behaviors.setup(
                context -> new EventRecorder(context, timers, api, clock, component, host)));
  }

  private EventRecorder(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ApiClient api,
      InstantSource clock,
      String component,
      String host) {
    super(context);
    this.api = api;
    this.clock = clock;
    this.component = component;
    this.host = host;
    this.timers = timers;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Event event -> enqueue(event);
      case Written(ApiReply reply) -> onWritten(reply);
      case Retry _ -> write();
    }
    return this;
  }

  private void enqueue(Event event) {
    if (queue.size() == MAX_QUEUED) {
      dropped++;
      getContext()
          .getLog()
          .debug("{} dropped {} events so far, now {}", component, dropped, event.reason());
      return;
    }
    queue.add(new Waiting(event, clock.instant()));
    next();
  }

  private void next() {
    if (writing == null) {
      writing = queue.poll();
      tries = 0;
      write();
    }
  }

  private void write() {
    Waiting waiting = writing;
    if (waiting == null) {
      return;
    }
    tries++;
    Recorded before = recorded.get(Key.of(waiting.event()));
    CompletionStage<ApiReply> reply;
    if (before != null && waiting.at().isBefore(before.last().plus(SAME_EVENT))) {
      outcome = new Recorded(before.name(), before.count() + 1, waiting.at());
      reply = countUp(waiting.event(), outcome);
    } else {
      // A second try keeps its name: the first may have been stored after all.
      String name = tries == 1 || outcome.count() > 1 ? name(waiting) : outcome.name();
      outcome = new Recorded(name, 1, waiting.at());
      reply = api.create(ResourceType.EVENT, object(waiting.event(), outcome));
    }
    getContext().pipeToSelf(reply, (answer, _) -> new Written(answer));
  }

  private void onWritten(@Nullable ApiReply reply) {
    Waiting waiting = writing;
    if (waiting == null) {
      return;
    }
    Key key = Key.of(waiting.event());
    boolean unknown =
        reply == null || reply instanceof ApiReply.Failed failed && failed.code() >= 500;
    if (unknown && tries < MAX_TRIES) {
      timers.startSingleTimer(new Retry(), RETRY);
      return;
    }
    if (reply instanceof ApiReply.Failed failed && failed.code() == 404 && outcome.count() > 1) {
      recorded.remove(key); // it has expired meanwhile: this one is the first again
      write();
      return;
    }
    boolean stored =
        reply instanceof ApiReply.Stored
            || reply instanceof ApiReply.Failed failed && failed.code() == 409 && tries > 1;
    if (stored) {
      recorded.put(key, outcome);
    } else {
      getContext()
          .getLog()
          .debug("{} does not record {}: {}", component, waiting.event().reason(), reply);
    }
    writing = null;
    next();
  }

  /** The object and, in hexadecimal, the time in nanoseconds, which no two events here share. */
  private String name(Waiting waiting) {
    Instant at = waiting.at();
    long nanos = at.getEpochSecond() * 1_000_000_000L + at.getNano();
    lastNameNanos = Math.max(nanos, lastNameNanos + 1);
    return "%s.%016x".formatted(waiting.event().about().name(), lastNameNanos);
  }

  private static String namespace(Event event) {
    String namespace = event.about().namespace();
    return namespace.isEmpty() ? "default" : namespace;
  }

  private static String seconds(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private CompletionStage<ApiReply> countUp(Event event, Recorded now) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    patch.put("count", now.count()).put("lastTimestamp", seconds(now.last()));
    return api.mergePatch(ResourceType.EVENT, namespace(event), now.name(), "", patch.toString());
  }

  private KubeObject object(Event event, Recorded first) {
    KubeObject about = event.about();
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("apiVersion", "v1").put("kind", "Event");
    json.putObject("metadata").put("name", first.name()).put("namespace", namespace(event));
    ObjectNode involved = json.putObject("involvedObject");
    involved.put("kind", about.kind());
    putUnlessEmpty(involved, "namespace", about.namespace());
    involved.put("name", about.name());
    putUnlessEmpty(involved, "uid", uid(about));
    involved.put("apiVersion", about.apiVersion());
    if (about.resourceVersion() > 0) {
      involved.put("resourceVersion", Long.toString(about.resourceVersion()));
    }
    putUnlessEmpty(involved, "fieldPath", event.fieldPath());
    json.put("reason", event.reason()).put("message", event.message());
    ObjectNode source = json.putObject("source");
    source.put("component", component);
    putUnlessEmpty(source, "host", host);
    json.put("firstTimestamp", seconds(first.last())).put("lastTimestamp", seconds(first.last()));
    json.put("count", first.count()).put("type", event.type().word());
    json.put("reportingComponent", "").put("reportingInstance", "");
    return new KubeObject(json);
  }

  /** Of a node its name, as the kubelet does, and as {@code kubectl describe node} looks for it. */
  private static String uid(KubeObject about) {
    return about.kind().equals("Node") ? about.name() : about.uid();
  }

  private static void putUnlessEmpty(ObjectNode node, String field, String value) {
    if (!value.isEmpty()) {
      node.put(field, value);
    }
  }
}
