package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.api.ApiClient;
import dev.paramecium.apiserver.ClusterApi;
import dev.paramecium.kernel.Kernel;
import dev.paramecium.kernel.KernelConfig;
import dev.paramecium.map.MapSizes;
import dev.paramecium.syscall.Syscall;
import dev.paramecium.userland.NodeDrain;
import dev.paramecium.userland.NodeUserland;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of one JVM, each with a kernel and, above it, a userland, in one actor system.
 *
 * <pre>
 *   actor system, one member of the cluster: the link is on the first node's address
 *    |-- node-1   kernel (address, VXLAN socket, devices, maps of its own), userland
 *    |-- node-2   kernel, userland
 *    `-- ...      the datapath's thread and the API server's client are everybody's
 * </pre>
 *
 * @param nodes at least one
 * @param gateway where the nodes' default routes lead; null for none
 * @param controlPlanes host:port of the control planes' cluster links, names allowed
 * @param drains whether the nodes leave for good when they are told to stop
 */
public record NodeProcess(
    List<Topology.Node> nodes,
    @Nullable Ipv4Address gateway,
    List<String> controlPlanes,
    String clusterName,
    Topology.Options options,
    boolean drains) {

  /** What a node reports as its memory, however many share its JVM's heap. */
  private static final long MEMORY_KI = 2L * 1024 * 1024;

  /** Nodes of a cluster with nothing outside, which are thrown away with it. */
  public NodeProcess(
      List<Topology.Node> nodes,
      List<String> controlPlanes,
      String clusterName,
      Topology.Options options) {
    this(nodes, null, controlPlanes, clusterName, options, false);
  }

  public NodeProcess {
    nodes = List.copyOf(nodes);
  }

  /** Starts it; the system runs until it is terminated. */
  public ActorSystem<Void> start() {
    return ClusterMember.start(
        guardian(),
        ClusterMember.config(
            ClusterMember.NODE,
            nodes.stream().map(Topology.Node::name).toList(),
            clusterName,
            nodes.getFirst().address().toString(),
            LocalCluster.CLUSTER_PORT,
            List.of()),
        controlPlanes);
  }

  /**
   * Runs it until it is told to stop.
   *
   * @throws UserError if it cannot start, or the cluster does not let it in
   */
  public void run() {
    ClusterMember.awaitEnd(start());
  }

  private Behavior<Void> guardian() {
    return Behaviors.setup(
        context -> {
          ApiClient api = ClusterApi.connect(context.getSystem());
          for (Topology.Node node : nodes) {
            context.spawn(guardian(node, api), node.name());
          }
          ActorSystem<Void> system = context.getSystem();
          if (drains) {
            CoordinatedShutdown.get(system)
                .addTask(
                    CoordinatedShutdown.PhaseBeforeServiceUnbind(),
                    "drain",
                    () -> drain(Cluster.get(system), api));
          }
          return Behaviors.empty();
        });
  }

  /** Drains the nodes while there is somebody to tell it. */
  private CompletionStage<Done> drain(Cluster cluster, ApiClient api) {
    Set<Member> unreachable = cluster.state().getUnreachable();
    boolean heard = false;
    for (Member member : cluster.state().getMembers()) {
      heard |= member.hasRole(ClusterMember.CONTROL_PLANE) && !unreachable.contains(member);
    }
    if (!heard) {
      return CompletableFuture.completedFuture(Done.getInstance());
    }
    return CompletableFuture.allOf(
            nodes.stream()
                .map(
                    node ->
                        new NodeDrain(api, InstantSource.system(), node.name(), NodeDrain.GRACE)
                            .run()
                            .toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new))
        .thenApply(_ -> Done.getInstance());
  }

  private Behavior<Void> guardian(Topology.Node node, ApiClient api) {
    return Behaviors.setup(
        context -> {
          RandomGenerator random = new SecureRandom();
          ActorRef<Syscall> kernel =
              context.spawn(Kernel.create(kernelConfig(node, random.nextLong())), "kernel");
          context.spawn(
              NodeUserland.create(nodeConfig(node), kernel, api, InstantSource.system(), random),
              "userland");
          return Behaviors.empty();
        });
  }

  private KernelConfig kernelConfig(Topology.Node node, long seed) {
    return KernelConfig.of(node.name(), node.address(), seed)
        .withUnderlay(options.underlay())
        .withGateway(gateway)
        .withMaps(mapSizes());
  }

  private MapSizes mapSizes() {
    return new MapSizes(
        options.agent().number("bpf-ct-global-tcp-max"),
        options.agent().number("bpf-ct-global-any-max"),
        options.agent().number("bpf-nat-global-max"),
        options.agent().number("bpf-policy-map-max"));
  }

  private NodeConfig nodeConfig(Topology.Node node) {
    NodeConfig defaults = NodeConfig.of(node.name(), node.address());
    return new NodeConfig(
        node.name(),
        node.address(),
        clusterName,
        options.clusterPoolIpv4Cidr(),
        options.mtu(),
        options.agent(),
        defaults.kubernetesVersion(),
        Runtime.getRuntime().availableProcessors(),
        Math.min(MEMORY_KI, Runtime.getRuntime().maxMemory() / 1024),
        defaults.maxPods(),
        gateway == null ? List.of() : List.of(gateway));
  }
}
