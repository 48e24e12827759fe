package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.api.ApiClient;
import dev.paramecium.apiserver.ClusterApi;
import dev.paramecium.kernel.Kernel;
import dev.paramecium.kernel.KernelConfig;
import dev.paramecium.map.MapSizes;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.userland.NodeUserland;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One node: its kernel and, above it, its userland, in one actor system.
 *
 * @param controlPlanes host:port of the control planes' cluster links
 */
public record NodeProcess(
    String name,
    Ipv4Address ip,
    List<String> controlPlanes,
    String clusterName,
    Topology.Options options) {

  /** Starts it; the system runs until it is terminated. */
  public ActorSystem<Void> start() {
    return ClusterMember.start(
        guardian(),
        ClusterMember.config(
            ClusterMember.NODE, ip.toString(), LocalCluster.CLUSTER_PORT, controlPlanes));
  }

  private Behavior<Void> guardian() {
    return Behaviors.setup(
        context -> {
          RandomGenerator random = new SecureRandom();
          ActorRef<Syscall> kernel =
              context.spawn(Kernel.create(kernelConfig(random.nextLong())), "kernel");
          ApiClient api = ClusterApi.connect(context.getSystem());
          context.spawn(
              NodeUserland.create(nodeConfig(), kernel, api, InstantSource.system(), random),
              "userland");
          return Behaviors.empty();
        });
  }

  private KernelConfig kernelConfig(long seed) {
    return KernelConfig.of(name, ip, seed).withUnderlay(options.underlay()).withMaps(mapSizes());
  }

  private MapSizes mapSizes() {
    return new MapSizes(
        options.agent().number("bpf-ct-global-tcp-max"),
        options.agent().number("bpf-ct-global-any-max"),
        options.agent().number("bpf-nat-global-max"),
        options.agent().number("bpf-policy-map-max"));
  }

  private NodeConfig nodeConfig() {
    NodeConfig defaults = NodeConfig.of(name, ip);
    return new NodeConfig(
        name,
        ip,
        clusterName,
        options.clusterPoolIpv4Cidr(),
        options.mtu(),
        options.agent(),
        defaults.kubernetesVersion(),
        Runtime.getRuntime().availableProcessors(),
        Runtime.getRuntime().maxMemory() / 1024,
        defaults.maxPods());
  }
}
