package dev.paramecium.log;

import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * What a component has done, as lines of its log, for the pods that show it. The last {@link #KEPT}
 * are kept for who comes later. Lines are numbered; a later book's numbers are higher.
 */
public final class LogBook extends AbstractBehavior<LogBook.Command> {

  /** How many lines are kept. */
  static final int KEPT = 1000;

  /** What it can be told. */
  public sealed interface Command {}

  /** Sends the kept lines above number {@code after} at once, and each further one; by Kryo. */
  public record Follow(long after, ActorRef<Lines> follower) implements Command {}

  record Append(String line) implements Command {}

  private record Gone(ActorRef<Lines> follower) implements Command {}

  /** Lines without their ends, in order; {@code first} is the first one's number. */
  public record Lines(long first, List<String> lines) {

    public Lines {
      lines = List.copyOf(lines);
    }
  }

  private final Deque<String> kept = new ArrayDeque<>();
  private final Set<ActorRef<Lines>> followers = new LinkedHashSet<>();
  private long next;

  private LogBook(ActorContext<Command> context, InstantSource clock) {
    super(context);
    this.next = clock.millis();
  }

  /** An empty book. */
  public static Behavior<Command> create(InstantSource clock) {
    return Behaviors.setup(context -> new LogBook(context, clock));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onMessage(Command.class, this::onCommand).build();
  }

  private Behavior<Command> onCommand(Command command) {
    switch (command) {
      case Append(String line) -> append(line);
      case Follow follow -> follow(follow);
      case Gone(ActorRef<Lines> follower) -> followers.remove(follower);
    }
    return this;
  }

  private void append(String line) {
    kept.add(line);
    if (kept.size() > KEPT) {
      kept.remove();
    }
    Lines lines = new Lines(next++, List.of(line));
    followers.forEach(follower -> follower.tell(lines));
  }

  private void follow(Follow follow) {
    if (followers.add(follow.follower())) {
      getContext().watchWith(follow.follower(), new Gone(follow.follower()));
    }
    long oldest = next - kept.size();
    int known = (int) Math.clamp(follow.after() + 1 - oldest, 0, kept.size());
    List<String> lines = new ArrayList<>(kept).subList(known, kept.size());
    follow.follower().tell(new Lines(oldest + known, lines));
  }
}
