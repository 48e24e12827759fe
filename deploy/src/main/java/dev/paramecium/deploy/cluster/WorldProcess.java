package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.kernel.Kernel;
import dev.paramecium.kernel.KernelConfig;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.world.Gateway;
import dev.paramecium.world.HostSpec;
import java.security.SecureRandom;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * What lies outside the cluster, in one JVM: the gateway's kernel, and the hosts in namespaces of
 * it.
 *
 * @param world gateway and hosts
 * @param controlPlanes host:port of the control planes' cluster links
 * @param balancer the node that the addresses of Services of type LoadBalancer are routed to; null
 *     for none
 */
public record WorldProcess(
    World world,
    List<String> controlPlanes,
    String clusterName,
    Topology.Options options,
    @Nullable Ipv4Address balancer) {

  /** Starts it; the system runs until it is terminated. */
  public ActorSystem<Void> start() {
    return ClusterMember.start(
        guardian(),
        ClusterMember.config(
            ClusterMember.WORLD,
            List.of(),
            clusterName,
            world.gateway().toString(),
            LocalCluster.CLUSTER_PORT,
            List.of()),
        controlPlanes);
  }

  /**
   * Runs it until it is told to stop.
   *
   * @throws dev.paramecium.deploy.UserError if it cannot start, or the cluster does not let it in
   */
  public void run() {
    ClusterMember.awaitEnd(start());
  }

  private Behavior<Void> guardian() {
    return Behaviors.setup(
        context -> {
          KernelConfig config =
              KernelConfig.of(HostSpec.GATEWAY, world.gateway(), new SecureRandom().nextLong())
                  .withUnderlay(options.underlay());
          ActorRef<Syscall> kernel = context.spawn(Kernel.create(config), "kernel");
          Ipv4Prefix balanced = options.loadBalancerIpv4Pool();
          context.spawn(
              Gateway.create(world.gateway(), world.hosts(), balanced, balancer, kernel),
              "gateway");
          return Behaviors.empty();
        });
  }
}
