package dev.paramecium.chaos;

import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Stands between a node's agent and its kernel, so that what the agent writes into a map comes
 * late, or not at all. All else passes as it is.
 *
 * <pre>
 *   agent --UpdateMap--&gt; gate --&gt; kernel        no fault
 *                          |--delay--&gt; kernel    stale, with a delay
 *                          '--EBUSY--&gt; agent     stale without one: the map stays as it is, the agent tries again
 * </pre>
 *
 * What is held back is at most one call of each map's reconciler.
 */
public final class MapGate extends AbstractBehavior<Object> {

  /** What the gate can be told, beside the agent's system calls. */
  public sealed interface Command {}

  /**
   * Holds writes back.
   *
   * @param source whose fault it is, for people
   * @param map a map's name, or the beginning of several names with an asterisk
   * @param delay zero for ever
   */
  record Hold(String source, String map, Duration delay, ActorRef<Done> replyTo)
      implements Command {}

  /** Ends the fault of that source. */
  record Lift(String source, ActorRef<Done> replyTo) implements Command {}

  /** The oldest of what a source holds back is due. */
  private record Pass(String source) implements Command {}

  private final ActorRef<Syscall> kernel;
  private final Map<String, Hold> holds = new LinkedHashMap<>();
  private final Map<String, Queue<Syscall>> late = new HashMap<>();

  private MapGate(ActorContext<Object> context, ActorRef<Syscall> kernel) {
    super(context);
    this.kernel = kernel;
  }

  /** A gate before {@code kernel}: takes {@link Syscall}s and {@link Command}s. */
  public static Behavior<Object> create(ActorRef<Syscall> kernel) {
    return Behaviors.setup(context -> new MapGate(context, kernel));
  }

  @Override
  public Receive<Object> createReceive() {
    return newReceiveBuilder()
        .onMessage(Syscall.class, this::onCall)
        .onMessage(Command.class, this::onCommand)
        .build();
  }

  private Behavior<Object> onCommand(Command command) {
    switch (command) {
      case Hold hold -> {
        holds.put(hold.source(), hold);
        hold.replyTo().tell(Done.getInstance());
      }
      case Lift(String source, var replyTo) -> {
        holds.remove(source);
        replyTo.tell(Done.getInstance());
      }
      case Pass(String source) -> {
        // Timers of one time may fire in any order; calls keep theirs.
        Queue<Syscall> held = late.get(source);
        Syscall first = held == null ? null : held.poll();
        if (first != null) {
          kernel.tell(first);
        }
        if (held == null || held.isEmpty()) {
          late.remove(source);
        }
      }
    }
    return this;
  }

  private Behavior<Object> onCall(Syscall call) {
    if (call instanceof Syscall.UpdateMap update) {
      for (Hold hold : holds.values()) {
        if (matches(hold.map(), update.map())) {
          if (hold.delay().isZero()) {
            update
                .replyTo()
                .tell(
                    Result.failed(
                        Errno.EBUSY, update.map() + " is frozen by MapChaos " + hold.source()));
          } else {
            late.computeIfAbsent(hold.source(), _ -> new ArrayDeque<>()).add(call);
            getContext()
                .scheduleOnce(hold.delay(), getContext().getSelf(), new Pass(hold.source()));
          }
          return this;
        }
      }
    }
    kernel.tell(call);
    return this;
  }

  /** Whether a map is one of those that {@code pattern} names. */
  static boolean matches(String pattern, String map) {
    return pattern.endsWith("*")
        ? map.startsWith(pattern.substring(0, pattern.length() - 1))
        : map.equals(pattern);
  }
}
