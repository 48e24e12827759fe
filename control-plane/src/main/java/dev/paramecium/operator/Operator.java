package dev.paramecium.operator;

import dev.paramecium.api.ApiClient;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** cilium-operator: pod CIDRs for nodes, identities for label sets. */
public final class Operator {

  /** What the operator can be told. */
  public sealed interface Command {}

  /** Ends it. */
  public record Stop() implements Command {}

  private Operator() {}

  public static Behavior<Command> create(
      ApiClient api, OperatorConfig config, InstantSource clock) {
    return Behaviors.receive(Command.class).onMessage(Stop.class, _ -> Behaviors.stopped()).build();
  }
}
