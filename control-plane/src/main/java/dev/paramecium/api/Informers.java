package dev.paramecium.api;

import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * The watches of one client, each made once however many ask for the same: what a hundred nodes of
 * one JVM want to hear crosses the link once, and they hold the same objects.
 *
 * <pre>
 *   API server --one watch--&gt; Informer --&gt; subscriber
 *                                 |------&gt; subscriber
 * </pre>
 *
 * An informer that nobody listens to any more ends.
 */
final class Informers extends AbstractBehavior<Informers.Command> {

  /** What this actor is told. */
  sealed interface Command {}

  /** What is watched: everything of a kind, or what the selectors leave of it. */
  record Subject(ResourceType type, String namespace, String labelSelector, String fieldSelector) {}

  /** From now on {@code subscriber} is told; asked again, it is told everything again. */
  record Subscribe(Subject subject, ActorRef<InformerEvent> subscriber) implements Command {}

  /**
   * Nobody listens to an informer any more.
   *
   * @param subscriptions how many it had heard of by then
   */
  record Idle(Subject subject, long subscriptions) implements Command {}

  private static final class Running {
    final ActorRef<Informer.Message> informer;
    long subscriptions;

    Running(ActorRef<Informer.Message> informer) {
      this.informer = informer;
    }
  }

  private final ActorRef<ApiRequest> server;
  private final Map<Subject, Running> running = new HashMap<>();
  private long started;

  static Behavior<Command> create(ActorRef<ApiRequest> server) {
    return Behaviors.setup(context -> new Informers(context, server));
  }

  private Informers(ActorContext<Command> context, ActorRef<ApiRequest> server) {
    super(context);
    this.server = server;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Subscribe.class, this::subscribe)
        .onMessage(Idle.class, this::idle)
        .build();
  }

  private Behavior<Command> subscribe(Subscribe subscribe) {
    Running found = running.computeIfAbsent(subscribe.subject(), this::start);
    found.subscriptions++;
    found.informer.tell(new Informer.Subscribe(subscribe.subscriber()));
    return this;
  }

  private Running start(Subject subject) {
    return new Running(
        getContext()
            .spawn(
                Informer.create(server, subject, getContext().getSelf()),
                subject.type().plural() + "-" + ++started));
  }

  /** Unless somebody came meanwhile, of whom it has not heard yet. */
  private Behavior<Command> idle(Idle idle) {
    Running found = running.get(idle.subject());
    if (found != null && found.subscriptions == idle.subscriptions()) {
      running.remove(idle.subject());
      getContext().stop(found.informer);
    }
    return this;
  }
}
