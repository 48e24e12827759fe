package dev.paramecium.controller;

import dev.paramecium.api.ApiClient;
import java.time.Duration;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** kube-controller-manager's node lifecycle controller: says so when a node is no longer heard. */
public final class NodeLifecycle {

  /** {@code --node-monitor-grace-period} of Kubernetes 1.24. */
  public static final Duration GRACE = Duration.ofSeconds(40);

  /** What the controller can be told. */
  public sealed interface Command {}

  /** Ends it. */
  public record Stop() implements Command {}

  private NodeLifecycle() {}

  public static Behavior<Command> create(ApiClient api, InstantSource clock, Duration grace) {
    return Behaviors.receive(Command.class).onMessage(Stop.class, _ -> Behaviors.stopped()).build();
  }
}
