package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.agent.CiliumAgent;
import dev.paramecium.agent.CiliumAgent.AgentStatus;
import dev.paramecium.agent.CiliumAgent.CniResult;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.api.ActorApiClient;
import dev.paramecium.api.ApiClient;
import dev.paramecium.api.ApiReply;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.apiserver.ApiServer;
import dev.paramecium.bpf.Clock;
import dev.paramecium.datapath.underlay.NodeResolver;
import dev.paramecium.datapath.underlay.UnderlayKind;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.kernel.Kernel;
import dev.paramecium.kernel.KernelConfig;
import dev.paramecium.map.MapSizes;
import dev.paramecium.operator.Operator;
import dev.paramecium.operator.OperatorConfig;
import dev.paramecium.syscall.Result;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * How long a policy takes from its write until every node's policy maps have it.
 *
 * <pre>
 *   API server, operator --- watches ---> agent ... agent     (one JVM, no link between them)
 *                                           |         |
 *                                         kernel    kernel    policy maps of pods / nodes endpoints each
 * </pre>
 *
 * Agents and kernels are those of a cluster, with their programs loaded and their maps filled; pods
 * run no process. Policy {@code i} selects the pods of application {@code i}.
 */
public final class PolicyBenchmark implements AutoCloseable {

  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final String KIND = "CiliumNetworkPolicy";
  private static final int BUFFERS = 1024;
  private static final int BACKLOG = 256;
  private static final int MAP_ENTRIES = 1024;

  /** How many CNI requests wait for an answer at once. */
  private static final int PODS_AT_ONCE = 200;

  /**
   * How large the cluster is.
   *
   * @param pods over all nodes, at most 250 on each
   */
  public record Size(int nodes, int pods, int policies) {

    public static final Size DEFAULT = new Size(50, 10_000, 250);
  }

  private record Node(ActorRef<Syscall> kernel, ActorRef<CiliumAgent.Command> agent) {}

  private final Size size;
  private final ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "bench-policy");
  private final ApiClient api;
  private final List<Node> nodes = new ArrayList<>();

  /** Starts the cluster with its pods. */
  public PolicyBenchmark(Size size) {
    this.size = size;
    InstantSource clock = InstantSource.system();
    api =
        new ActorApiClient(
            system, system.systemActorOf(ApiServer.inMemory(clock), "api", Props.empty()));
    system.systemActorOf(
        Operator.create(
            api, OperatorConfig.of("default", Ipv4Prefix.parse("10.0.0.0/8"), 24), clock),
        "operator",
        Props.empty());
    Ipv4Address block = LocalCluster.freeLoopbackBlock(size.nodes());
    for (int i = 0; i < size.nodes(); i++) {
      nodes.add(start("node-" + i, block.plus(1 + i), i, clock));
    }
    startPods();
  }

  private Node start(String name, Ipv4Address ip, int number, InstantSource clock) {
    KernelConfig config =
        new KernelConfig(
            name,
            ip,
            8,
            null,
            UnderlayKind.UDP,
            NodeResolver.identity(LocalCluster.VXLAN_PORT),
            Clock.system(),
            number,
            1,
            BUFFERS,
            BACKLOG,
            KernelConfig.of(name, ip, number).objects(),
            new MapSizes(MAP_ENTRIES, MAP_ENTRIES, MAP_ENTRIES, 16 * MAP_ENTRIES),
            null);
    ActorRef<Syscall> kernel =
        system.systemActorOf(Kernel.create(config), "kernel-" + number, Props.empty());
    ActorRef<CiliumAgent.Command> agent =
        system.systemActorOf(
            CiliumAgent.create(
                NodeConfig.of(name, ip),
                kernel,
                api,
                clock,
                new SplittableRandom(number),
                system.ignoreRef()),
            "agent-" + number,
            Props.empty());
    return new Node(kernel, agent);
  }

  // ---- pods

  private void startPods() {
    List<CompletionStage<CniResult>> waiting = new ArrayList<>();
    for (int i = 0; i < size.pods(); i++) {
      waiting.add(startPod(i));
      if (waiting.size() == PODS_AT_ONCE || i == size.pods() - 1) {
        waiting.forEach(PolicyBenchmark::requireAdded);
        waiting.clear();
      }
    }
    awaitAll(status -> status.ready() && status.pending() == 0 && !hasUnready(status), _ -> {});
  }

  private static boolean hasUnready(AgentStatus status) {
    return status.counters().getOrDefault("endpoints.ready", 0L) < status.endpoints();
  }

  private CompletionStage<CniResult> startPod(int number) {
    Node node = nodes.get(number % nodes.size());
    String name = "pod-" + number;
    ObjectNode pod = ApiHttp.JSON.createObjectNode().put("apiVersion", "v1").put("kind", "Pod");
    pod.putObject("metadata")
        .put("name", name)
        .put("namespace", "default")
        .putObject("labels")
        .put("app", "app-" + number % size.policies());
    pod.putObject("spec")
        .put("nodeName", "node-" + number % nodes.size())
        .putArray("containers")
        .addObject()
        .put("name", "main")
        .put("image", "pause");
    KubeObject stored = stored(api.create(ResourceType.POD, new KubeObject(pod)));
    String netns = "cni-" + number;
    CompletionStage<Result<Done>> made =
        AskPattern.ask(
            node.kernel(),
            replyTo -> new Syscall.CreateNetns(netns, replyTo),
            LIMIT,
            system.scheduler());
    return made.thenCompose(
        _ ->
            AskPattern.ask(
                node.agent(),
                (ActorRef<CniResult> replyTo) ->
                    new CiliumAgent.CniAdd(
                        new PodRef("default", name, stored.uid()), netns, replyTo),
                LIMIT,
                system.scheduler()));
  }

  private static void requireAdded(CompletionStage<CniResult> stage) {
    if (stage.toCompletableFuture().join() instanceof CniResult.Refused refused) {
      throw new IllegalStateException(refused.message());
    }
  }

  private static KubeObject stored(CompletionStage<ApiReply> call) {
    ApiReply reply = call.toCompletableFuture().join();
    if (reply instanceof ApiReply.Stored stored) {
      return stored.object();
    }
    throw new IllegalStateException(reply.toString());
  }

  // ---- policies

  /** Measures and prints a line for each figure; the other end of {@link PolicyRows}. */
  public void print() {
    measure().forEach((what, millis) -> System.out.printf(Locale.ROOT, "%s %.1f%n", what, millis));
  }

  /**
   * Applies every policy twice, under two names.
   *
   * @return milliseconds: {@code all-p50}, {@code all-p99} until all nodes enforce one; {@code
   *     node-p50}, {@code node-p99} until one node does; {@code burst} until all nodes enforce the
   *     last of as many at once
   */
  Map<String, Double> measure() {
    double[] all = new double[size.policies()];
    List<Double> each = new ArrayList<>();
    for (int i = 0; i < size.policies(); i++) {
      long begin = System.nanoTime();
      KubeObject policy = stored(api.create(ResourceType.CILIUM_NETWORK_POLICY, policy("p", i)));
      all[i] = awaitEnforced(policy, nanos -> each.add((nanos - begin) / 1e6), begin);
    }
    Arrays.sort(all);
    double[] nodeTimes = each.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("all-p50", percentile(all, 50));
    figures.put("all-p99", percentile(all, 99));
    figures.put("node-p50", percentile(nodeTimes, 50));
    figures.put("node-p99", percentile(nodeTimes, 99));
    figures.put("burst", burst());
    return figures;
  }

  private double burst() {
    long begin = System.nanoTime();
    List<CompletionStage<ApiReply>> writes = new ArrayList<>();
    for (int i = 0; i < size.policies(); i++) {
      writes.add(api.create(ResourceType.CILIUM_NETWORK_POLICY, policy("q", i)));
    }
    KubeObject newest = stored(writes.getFirst());
    for (CompletionStage<ApiReply> write : writes) {
      KubeObject policy = stored(write);
      newest = policy.resourceVersion() > newest.resourceVersion() ? policy : newest;
    }
    return awaitEnforced(newest, _ -> {}, begin);
  }

  private KubeObject policy(String prefix, int number) {
    ObjectNode policy = ApiHttp.JSON.createObjectNode();
    policy.put("apiVersion", "cilium.io/v2").put("kind", KIND);
    policy.putObject("metadata").put("name", prefix + number).put("namespace", "default");
    ObjectNode spec = policy.putObject("spec");
    spec.putObject("endpointSelector").putObject("matchLabels").put("app", "app-" + number);
    ObjectNode rule = spec.putArray("ingress").addObject();
    rule.putArray("fromEndpoints")
        .addObject()
        .putObject("matchLabels")
        .put("app", "app-" + (number + 1) % size.policies());
    rule.putArray("toPorts")
        .addObject()
        .putArray("ports")
        .addObject()
        .put("port", prefix.equals("p") ? "80" : "81")
        .put("protocol", "TCP");
    return new KubeObject(policy);
  }

  /** Milliseconds from {@code begin} until all have it; {@code each} is told when one has. */
  private double awaitEnforced(KubeObject policy, LongConsumer each, long begin) {
    awaitAll(
        status ->
            status.counters().getOrDefault("enforced." + KIND, 0L) >= policy.resourceVersion(),
        each);
    return (System.nanoTime() - begin) / 1e6;
  }

  private interface Condition {
    boolean holds(AgentStatus status);
  }

  private void awaitAll(Condition condition, LongConsumer each) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    List<Node> waiting = new ArrayList<>(nodes);
    while (!waiting.isEmpty()) {
      List<CompletionStage<AgentStatus>> answers =
          waiting.stream().map(node -> status(node)).toList();
      List<Node> still = new ArrayList<>();
      for (int i = 0; i < answers.size(); i++) {
        if (condition.holds(answers.get(i).toCompletableFuture().join())) {
          each.accept(System.nanoTime());
        } else {
          still.add(waiting.get(i));
        }
      }
      waiting = still;
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(
            waiting.size() + " of " + nodes.size() + " nodes lag behind after " + LIMIT);
      }
    }
  }

  private CompletionStage<AgentStatus> status(Node node) {
    return AskPattern.ask(node.agent(), CiliumAgent.ReadStatus::new, LIMIT, system.scheduler());
  }

  private static double percentile(double[] sorted, int percent) {
    return sorted[Math.min(sorted.length - 1, (sorted.length * percent + 99) / 100 - 1)];
  }

  @Override
  public void close() {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().join();
  }
}
