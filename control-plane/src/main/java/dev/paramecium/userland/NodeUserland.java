package dev.paramecium.userland;

import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.api.ApiClient;
import dev.paramecium.chaos.ChaosDaemon;
import dev.paramecium.chaos.MapGate;
import dev.paramecium.kubelet.Kubelet;
import dev.paramecium.log.LogBook;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.time.InstantSource;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * What runs in a node's user space: kubelet, cilium-agent and chaos-daemon, as systemd and
 * DaemonSets would start them. The kubelet is registered with the receptionist under {@code
 * KubeletRequest.key(nodeName)} and {@code KubeletRequest.ALL}. Each is restarted when it fails;
 * the kernel, and with it the pods' traffic, does not notice.
 */
public final class NodeUserland {

  /** What the userland as a whole can be told. */
  public sealed interface Command {}

  /** Shuts agent and kubelet down; objects stay in the API server, maps stay in the kernel. */
  public record Stop() implements Command {}

  private NodeUserland() {}

  /**
   * A node's userland.
   *
   * @param kernel the node's kernel, in this JVM
   * @param clock the node's wall clock
   * @param random the node's source of chance; only this actor draws from it, while it starts
   */
  public static Behavior<Command> create(
      NodeConfig config,
      ActorRef<Syscall> kernel,
      ApiClient api,
      InstantSource clock,
      RandomGenerator random) {
    return Behaviors.setup(
        context -> {
          RandomGenerator forAgent = new SplittableRandom(random.nextLong());
          RandomGenerator forKubelet = new SplittableRandom(random.nextLong());
          ActorRef<Object> gate = context.spawn(MapGate.create(kernel), "map-gate");
          ActorRef<LogBook.Command> agentLog = context.spawn(LogBook.create(clock), "agent-log");
          ActorRef<CiliumAgent.Command> agent =
              context.spawn(
                  supervised(
                      Behaviors.supervise(
                              CiliumAgent.create(
                                  config, gate.narrow(), api, clock, forAgent, agentLog))
                          .onFailure(CiliumAgent.Crashed.class, SupervisorStrategy.restart())),
                  "cilium-agent");
          context.spawn(
              supervised(Kubelet.create(config, kernel, agent, agentLog, api, clock, forKubelet)),
              "kubelet");
          context.spawn(
              supervised(ChaosDaemon.create(config.nodeName(), kernel, gate.narrow(), agent, api)),
              "chaos-daemon");
          return Behaviors.receive(Command.class)
              .onMessage(Stop.class, _ -> Behaviors.stopped())
              .build();
        });
  }

  private static <T> Behavior<T> supervised(Behavior<T> behavior) {
    return Behaviors.supervise(behavior)
        .onFailure(
            SupervisorStrategy.restartWithBackoff(
                Duration.ofMillis(200), Duration.ofSeconds(10), 0.1));
  }
}
