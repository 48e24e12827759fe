package dev.paramecium.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiRequest;
import dev.paramecium.api.ApiWatchEvent;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.WatchAttempts;
import dev.paramecium.apiserver.ServedKind;
import io.netty.channel.ChannelHandlerContext;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * One watch over HTTP: each event is one JSON object, on a line or in a WebSocket's message. An
 * event is acknowledged to the API server when the socket has taken it, so a slow client slows only
 * its own watch.
 *
 * <p>A request to the API server can be lost while that starts or moves: one that nothing answers
 * is made again. The API server sends a bookmark every few seconds; silence towards a client that
 * has taken everything means that it has forgotten the watch. The stream ends then, and the client
 * resumes as after any timeout.
 */
final class WatchStream extends AbstractBehavior<WatchStream.Message> {

  private static final byte[] LINE_END = {'}', '\n'};
  private static final Duration CHECK = Duration.ofSeconds(1);

  /** In checks; twice as long each time, as a journal on a slow disk delays the answer. */
  private static final int FIRST_PATIENCE = 2;

  private static final int LONGEST_PATIENCE = 32;
  private static final int SILENCE = 7;

  /** What a watch stream is told. */
  sealed interface Message {}

  private record Event(int attempt, ApiWatchEvent event) implements Message {}

  private record Check() implements Message {}

  private record Sent() implements Message {}

  private record Closed() implements Message {}

  private record TimedOut() implements Message {}

  private final WatchAttempts<Message> watch;
  private final ResponseStream body;
  private final ServedKind kind;
  private final EncodedObjects encoded;
  private final @Nullable RowObject rows;
  private final boolean bookmarks;
  private final boolean initialEvents;
  private final InstantSource clock;
  private final String namespace;
  private final Query query;
  private final long revision;
  private boolean stands;
  private int patience = FIRST_PATIENCE;
  private int untaken;
  private int quietChecks;

  /**
   * Starts the stream.
   *
   * @throws BadRequest if a parameter cannot be read
   */
  static void open(
      ChannelHandlerContext context,
      RestServer.Services services,
      ServedKind kind,
      String namespace,
      RestRequest request)
      throws BadRequest {
    Query query = request.query();
    boolean initialEvents = query.flag("sendInitialEvents");
    long revision = initialEvents ? 0 : query.number("resourceVersion", 0);
    long timeoutSeconds = query.number("timeoutSeconds", 0);
    RowObject rows = request.tableRows();
    Consumer<ResponseStream> begin =
        body ->
            begin(
                services,
                kind,
                namespace,
                query,
                rows,
                initialEvents,
                revision,
                timeoutSeconds,
                body);
    if (request.upgrade() == null) {
      begin.accept(ChunkedBody.start(context, "application/json"));
    } else {
      WebSocketMessages.start(context, request.upgrade(), begin);
    }
  }

  private static void begin(
      RestServer.Services services,
      ServedKind kind,
      String namespace,
      Query query,
      @Nullable RowObject rows,
      boolean initialEvents,
      long revision,
      long timeoutSeconds,
      ResponseStream body) {
    ActorRef<Message> stream =
        services
            .system()
            .systemActorOf(
                Behaviors.setup(
                    actor ->
                        Behaviors.withTimers(
                            timers -> {
                              if (timeoutSeconds > 0) {
                                timers.startSingleTimer(
                                    new TimedOut(), Duration.ofSeconds(timeoutSeconds));
                              }
                              return new WatchStream(
                                  actor,
                                  timers,
                                  services,
                                  kind,
                                  body,
                                  rows,
                                  query.flag("allowWatchBookmarks"),
                                  initialEvents,
                                  namespace,
                                  query,
                                  revision);
                            })),
                "watch-" + UUID.randomUUID(),
                Props.empty());
    body.onClose(() -> stream.tell(new Closed()));
  }

  private WatchStream(
      ActorContext<Message> context,
      TimerScheduler<Message> timers,
      RestServer.Services services,
      ServedKind kind,
      ResponseStream body,
      @Nullable RowObject rows,
      boolean bookmarks,
      boolean initialEvents,
      String namespace,
      Query query,
      long revision) {
    super(context);
    this.watch = new WatchAttempts<>(context, services.server(), Event::new);
    this.kind = kind;
    this.body = body;
    this.encoded = services.encoded();
    this.rows = rows;
    this.bookmarks = bookmarks;
    this.initialEvents = initialEvents;
    this.clock = services.clock();
    this.namespace = namespace;
    this.query = query;
    this.revision = revision;
    ask();
    timers.startTimerWithFixedDelay(new Check(), CHECK);
  }

  private void ask() {
    watch.ask(
        subscriber ->
            new ApiRequest.Watch(
                kind.type(),
                namespace,
                query.text("labelSelector"),
                query.text("fieldSelector"),
                revision,
                subscriber));
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Event.class, this::event)
        .onMessage(Check.class, _ -> check())
        .onMessage(Sent.class, _ -> acknowledge())
        .onMessage(Closed.class, _ -> Behaviors.stopped())
        .onMessage(TimedOut.class, _ -> end())
        .onSignal(PostStop.class, _ -> unwatch())
        .build();
  }

  private Behavior<Message> check() {
    quietChecks++;
    if (!stands && quietChecks >= patience) {
      quietChecks = 0;
      patience = Math.min(LONGEST_PATIENCE, 2 * patience);
      ask();
    }
    return stands && untaken == 0 && quietChecks > SILENCE ? end() : this;
  }

  private Behavior<Message> event(Event heard) {
    if (!watch.isPresent(heard.attempt())) {
      return this;
    }
    stands = true;
    quietChecks = 0;
    untaken++;
    switch (heard.event()) {
      case ApiWatchEvent.Added added -> send("ADDED", added.object());
      case ApiWatchEvent.Modified modified -> send("MODIFIED", modified.object());
      case ApiWatchEvent.Deleted deleted -> send("DELETED", deleted.object());
      case ApiWatchEvent.Bookmark bookmark -> bookmark(bookmark);
      case ApiWatchEvent.Expired expired -> {
        ObjectNode status =
            Answer.status(
                410,
                "Expired",
                "too old resource version: the oldest that can be resumed from is "
                    + expired.oldestResourceVersion());
        sendLine("ERROR", Answer.bytes(status));
        return end();
      }
    }
    return this;
  }

  private void send(String type, KubeObject object) {
    sendLine(type, encoded.json(kind, object, rows, clock.instant()));
  }

  private void bookmark(ApiWatchEvent.Bookmark bookmark) {
    boolean endOfList = bookmark.initialEventsEnd() && initialEvents;
    if (!bookmarks && !endOfList) {
      acknowledge();
      return;
    }
    ObjectNode object = Answer.JSON.createObjectNode();
    object.put("kind", kind.type().kind()).put("apiVersion", kind.type().apiVersion());
    ObjectNode metadata =
        object
            .putObject("metadata")
            .put("resourceVersion", Long.toString(bookmark.resourceVersion()));
    metadata.putNull("creationTimestamp");
    if (endOfList) {
      metadata.putObject("annotations").put("k8s.io/initial-events-end", "true");
    }
    sendLine("BOOKMARK", Answer.bytes(object));
  }

  private void sendLine(String type, byte[] object) {
    byte[] start = ("{\"type\":\"" + type + "\",\"object\":").getBytes(StandardCharsets.US_ASCII);
    byte[] bytes = Arrays.copyOf(start, start.length + object.length + LINE_END.length);
    System.arraycopy(object, 0, bytes, start.length, object.length);
    System.arraycopy(LINE_END, 0, bytes, start.length + object.length, LINE_END.length);
    ActorRef<Message> self = getContext().getSelf();
    body.send(bytes, () -> self.tell(new Sent()));
  }

  private Behavior<Message> acknowledge() {
    untaken--;
    quietChecks = 0;
    watch.acknowledge(1);
    return this;
  }

  private Behavior<Message> end() {
    body.end();
    return Behaviors.stopped();
  }

  private Behavior<Message> unwatch() {
    watch.end();
    return this;
  }
}
