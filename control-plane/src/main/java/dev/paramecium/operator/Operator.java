package dev.paramecium.operator;

import dev.paramecium.api.ApiClient;
import dev.paramecium.log.LogBook;
import dev.paramecium.log.LogWriter;
import java.time.Duration;
import java.time.InstantSource;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;

/**
 * cilium-operator: pod CIDRs for nodes, identities for label sets. Both parts hold nothing that the
 * API server does not, so that a crashed one starts over.
 */
public final class Operator {

  /** Where the receptionist finds the operator's log. */
  public static final ServiceKey<LogBook.Command> LOG =
      ServiceKey.create(LogBook.Command.class, "cilium-operator-log");

  /** What the operator can be told. */
  public sealed interface Command {}

  /** Ends it. */
  public record Stop() implements Command {}

  private Operator() {}

  /** The operator of one cluster; a second one beside it does no harm to identities. */
  public static Behavior<Command> create(
      ApiClient api, OperatorConfig config, InstantSource clock) {
    return Behaviors.setup(
        context -> {
          ActorRef<LogBook.Command> log = context.spawn(LogBook.create(clock), "log");
          context.getSystem().receptionist().tell(Receptionist.register(LOG, log));
          begin(new LogWriter(log, "cilium-operator-generic"), config);
          context.spawn(supervised(NodeIpam.create(api, config, log)), "node-ipam");
          context.spawn(
              supervised(IdentityAllocator.create(api, config, clock, log)), "identities");
          return Behaviors.receive(Command.class)
              .onMessage(Stop.class, _ -> Behaviors.stopped())
              .build();
        });
  }

  private static void begin(LogWriter log, OperatorConfig config) {
    log.info("Cilium Operator 1.12.3 of Paramecium, in its control plane");
    log.info("Initializing IPAM", "mode", "cluster-pool");
    log.info(
        "Starting ClusterPool IP allocator",
        "ipv4CIDRs",
        "[" + config.clusterCidr() + "]",
        "ipv4MaskSize",
        Integer.toString(config.nodeMaskSize()));
    log.info("Starting to synchronize CiliumNode custom resources");
    log.info(
        "Starting CRD identity garbage collector",
        "heartbeat-timeout",
        config.identityGrace().toMinutes() + "m0s");
  }

  private static <T> Behavior<T> supervised(Behavior<T> behavior) {
    return Behaviors.supervise(behavior)
        .onFailure(
            SupervisorStrategy.restartWithBackoff(
                Duration.ofMillis(200), Duration.ofSeconds(10), 0.1));
  }
}
