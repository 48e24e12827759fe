package dev.paramecium.world;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.kernel.KernelCalls;
import dev.paramecium.kubelet.KubeletRequest;
import dev.paramecium.syscall.ContainerEvent;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.jspecify.annotations.Nullable;

/**
 * The router between the cluster and the hosts outside: its hosts are children, its routes lead to
 * them and, for the addresses of Services of type LoadBalancer, to a node. It serves the hosts'
 * names. Commands that people ask for run on its kernel as on a node.
 */
public final class Gateway {

  private static final String UNDERLAY = "eth0";

  private Gateway() {}

  /**
   * The gateway.
   *
   * @param address the kernel's own
   * @param balanced addresses that a node answers for; null for none
   * @param balancer that node
   */
  public static Behavior<KubeletRequest> create(
      Ipv4Address address,
      List<HostSpec> hosts,
      @Nullable Ipv4Prefix balanced,
      @Nullable Ipv4Address balancer,
      ActorRef<Syscall> kernel) {
    return Behaviors.setup(
        context -> {
          for (int i = 0; i < hosts.size(); i++) {
            context.spawn(
                Behaviors.supervise(OutsideHost.create(hosts.get(i), i + 1, address, kernel))
                    .onFailure(
                        SupervisorStrategy.restartWithBackoff(
                            Duration.ofMillis(200), Duration.ofSeconds(10), 0.1)),
                "host-" + hosts.get(i).name());
          }
          KernelCalls calls = new KernelCalls(kernel, context.getSystem().scheduler());
          serveNames(context, calls, address, hosts);
          if (balanced != null && balancer != null) {
            route(context, calls, balanced, balancer);
          }
          context
              .getSystem()
              .receptionist()
              .tell(
                  Receptionist.register(
                      KubeletRequest.worldKey(HostSpec.GATEWAY), context.getSelf()));
          return Behaviors.receive(KubeletRequest.class)
              .onMessage(
                  KubeletRequest.HostExec.class,
                  exec -> {
                    kernel.tell(new Syscall.Exec(exec.request().on(""), exec.client()));
                    return Behaviors.same();
                  })
              .build();
        });
  }

  private static void serveNames(
      ActorContext<KubeletRequest> context,
      KernelCalls kernel,
      Ipv4Address address,
      List<HostSpec> hosts) {
    var log = context.getLog();
    kernel
        .startContainer(
            WorldNames.server(address, hosts), context.getSystem().<ContainerEvent>ignoreRef())
        .whenComplete(
            (_, failure) -> {
              if (failure != null) {
                log.warn("the world has no names: {}", KernelCalls.message(failure));
              }
            });
  }

  private static void route(
      ActorContext<KubeletRequest> context,
      KernelCalls kernel,
      Ipv4Prefix balanced,
      Ipv4Address balancer) {
    var log = context.getLog();
    kernel
        .replaceRoute(balanced, balancer, UNDERLAY)
        .whenComplete(
            (_, failure) -> {
              if (failure != null) {
                log.warn(
                    "no route to {} via {}: {}", balanced, balancer, KernelCalls.message(failure));
              }
            });
  }
}
