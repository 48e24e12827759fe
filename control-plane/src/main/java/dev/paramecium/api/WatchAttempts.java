package dev.paramecium.api;

import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One actor's watch at the API server, which it may have to ask for again. Each attempt goes under
 * a name of its own, so that what an abandoned one still sends is not mistaken for the present
 * one's.
 *
 * @param <M> what the actor is told
 */
public final class WatchAttempts<M> {

  private final ActorContext<M> context;
  private final ActorRef<ApiRequest> server;
  private final BiFunction<Integer, ApiWatchEvent, M> heard;
  private @Nullable ActorRef<ApiWatchEvent> subscriber;
  private int attempt;

  /**
   * @param heard the message that tells the actor of an attempt's event
   */
  public WatchAttempts(
      ActorContext<M> context,
      ActorRef<ApiRequest> server,
      BiFunction<Integer, ApiWatchEvent, M> heard) {
    this.context = context;
    this.server = server;
    this.heard = heard;
  }

  /**
   * Asks for the watch; what was asked for before is abandoned.
   *
   * @param request of the subscriber that it is given
   */
  public void ask(Function<ActorRef<ApiWatchEvent>, ApiRequest.Watch> request) {
    end();
    if (subscriber != null) {
      context.stop(subscriber);
    }
    int mine = ++attempt;
    ActorRef<M> self = context.getSelf();
    ActorRef<ApiWatchEvent> next =
        context.spawn(
            Behaviors.receiveMessage(
                (ApiWatchEvent event) -> {
                  self.tell(heard.apply(mine, event));
                  return Behaviors.same();
                }),
            "watch-" + mine);
    subscriber = next;
    server.tell(request.apply(next));
  }

  /** Whether an event is the present attempt's. */
  public boolean isPresent(int ofAttempt) {
    return ofAttempt == attempt;
  }

  /** So many more events of the present attempt have been taken. */
  public void acknowledge(int events) {
    if (subscriber != null) {
      server.tell(new ApiRequest.WatchAck(events, subscriber));
    }
  }

  /** The API server need not go on. */
  public void end() {
    if (subscriber != null) {
      server.tell(new ApiRequest.Unwatch(subscriber));
    }
  }
}
