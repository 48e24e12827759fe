package dev.paramecium.scheduler;

import dev.paramecium.api.ApiClient;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** kube-scheduler: gives each pending pod the least loaded node that it fits. */
public final class Scheduler {

  /** What the scheduler can be told. */
  public sealed interface Command {}

  /** Ends it. */
  public record Stop() implements Command {}

  private Scheduler() {}

  public static Behavior<Command> create(ApiClient api, InstantSource clock) {
    return Behaviors.receive(Command.class).onMessage(Stop.class, _ -> Behaviors.stopped()).build();
  }
}
