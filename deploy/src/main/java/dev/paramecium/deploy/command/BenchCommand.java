package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.bench.Benchmarks;
import dev.paramecium.deploy.bench.PathBenchmark;
import dev.paramecium.deploy.bench.PolicyBenchmark;
import dev.paramecium.deploy.bench.Row;
import dev.paramecium.deploy.bench.ScaleBenchmark;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.Topology;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures, beside what it is to be compared with, in the same run. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description =
        "The benchmarks: each prints its figure, what it is compared with, the ratio and the"
            + " target. Starts what it needs and leaves nothing.")
final class BenchCommand implements Callable<Integer> {

  private static final String ALL = "all";

  @Parameters(
      arity = "0..*",
      paramLabel = "BENCHMARK",
      description = {
        "udp: datagrams a second from pod to pod, against sendmmsg in C",
        "rtt: round trips with one datagram in flight, against a C ping-pong",
        "tcp: one connection's bytes a second, against iperf3",
        "programs: nanoseconds a packet of the programs, against v1.12.3's",
        "observers: what a trace, a capture, a monitor cost those who are looked at",
        "api: pods created, listed and watched through REST",
        "policy: from a policy's apply until all nodes enforce it, a cluster in one JVM",
        "scale: a cluster of many nodes: memory, pods, identities and policies on all of them",
        "all: the default, all but api, policy and scale"
      })
  private List<String> names = List.of();

  @Option(names = "--rounds", defaultValue = "3", description = "rounds; the median counts")
  private int rounds;

  @Option(
      names = "--duration-ms",
      defaultValue = "2000",
      description = "how long each side is measured in a round")
  private int durationMs;

  @Option(
      names = "--warm-up-ms",
      defaultValue = "4000",
      description = "how long the pods run before the first round")
  private int warmUpMs;

  @Option(
      names = "--nodes",
      description = "of policy and scale: how many nodes; default 50 and 200")
  private @Nullable Integer nodes;

  @Option(
      names = "--pods",
      description =
          "of policy and scale: how many pods, at most 250 and 100 on a node; default 10000, and 20"
              + " for each node")
  private @Nullable Integer pods;

  @Option(
      names = "--policies",
      defaultValue = "250",
      description = "of policy: how many policies, each about its share of the pods")
  private int policies;

  @Mixin private final JsonOption format = new JsonOption();

  @Override
  public Integer call() throws JsonProcessingException {
    boolean json = format.wanted();
    List<Benchmarks.Name> wanted = wanted();
    if (rounds < 1 || durationMs < 1 || warmUpMs < 1) {
      throw new UserError(
          UserError.USAGE,
          "--rounds "
              + rounds
              + " --duration-ms "
              + durationMs
              + " --warm-up-ms "
              + warmUpMs
              + " cannot be measured: use at least 1 of each.");
    }
    Path directory = ClusterOptions.home().resolve("bench-" + ProcessHandle.current().pid());
    List<Row> rows = new ArrayList<>();
    try {
      Benchmarks.run(
          wanted,
          new PathBenchmark.Effort(rounds, durationMs, warmUpMs),
          wanted.contains(Benchmarks.Name.POLICY) ? policySize() : PolicyBenchmark.Size.DEFAULT,
          wanted.contains(Benchmarks.Name.SCALE) ? scaleSize() : ScaleBenchmark.Size.DEFAULT,
          directory,
          System.err::println,
          row -> {
            rows.add(row);
            if (!json) {
              System.out.println(row.line());
            }
          });
    } finally {
      DownCommand.deleteTree(directory);
    }
    if (json) {
      ArrayNode document = ApiHttp.JSON.createArrayNode();
      rows.forEach(row -> document.add(row.json()));
      System.out.println(
          ApiHttp.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(document));
    }
    return rows.stream().allMatch(Row::reached) ? 0 : UserError.FAILED;
  }

  private PolicyBenchmark.Size policySize() {
    int onNodes = nodes == null ? PolicyBenchmark.Size.DEFAULT.nodes() : nodes;
    int ofPods = pods == null ? PolicyBenchmark.Size.DEFAULT.pods() : pods;
    if (onNodes < 1
        || onNodes > Topology.MAX_NODES
        || policies < 1
        || ofPods < policies
        || ofPods > onNodes * 250) {
      throw new UserError(
          UserError.USAGE,
          "--nodes "
              + onNodes
              + " --pods "
              + ofPods
              + " --policies "
              + policies
              + " cannot be measured: use 1 to 250 nodes, a pod for each policy at least, and at"
              + " most 250 pods for each node.");
    }
    return new PolicyBenchmark.Size(onNodes, ofPods, policies);
  }

  private ScaleBenchmark.Size scaleSize() {
    int onNodes = nodes == null ? ScaleBenchmark.Size.DEFAULT.nodes() : nodes;
    int ofPods = pods == null ? 20 * onNodes : pods;
    if (onNodes < 1
        || onNodes > Topology.MAX_NODES
        || ofPods < 4
        || ofPods > onNodes * ScaleBenchmark.PODS_A_NODE) {
      throw new UserError(
          UserError.USAGE,
          "--nodes "
              + onNodes
              + " --pods "
              + ofPods
              + " cannot be measured: use 1 to 250 nodes, 4 pods at least, and at most "
              + ScaleBenchmark.PODS_A_NODE
              + " pods for each node.");
    }
    return new ScaleBenchmark.Size(onNodes, ofPods);
  }

  private List<Benchmarks.Name> wanted() {
    List<Benchmarks.Name> wanted = new ArrayList<>();
    for (String name : names.isEmpty() ? List.of(ALL) : names) {
      if (name.equals(ALL)) {
        return Arrays.stream(Benchmarks.Name.values()).filter(Benchmarks.Name::isOfAll).toList();
      }
      try {
        wanted.add(Benchmarks.Name.valueOf(name.toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException _) {
        throw new UserError(
            UserError.USAGE,
            "there is no benchmark \""
                + name
                + "\": use "
                + String.join(
                    ", ",
                    Arrays.stream(Benchmarks.Name.values())
                        .map(known -> known.name().toLowerCase(Locale.ROOT))
                        .toList())
                + " or all.");
      }
    }
    return wanted;
  }
}
