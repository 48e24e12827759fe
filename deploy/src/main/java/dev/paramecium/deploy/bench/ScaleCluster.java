package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.Waiting;
import dev.paramecium.deploy.cluster.ClusterFile;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A cluster as {@code up --nodes N} starts it, and what its nodes say of themselves.
 *
 * <pre>
 *   control-plane JVM
 *   node JVM          node-1 ... node-100
 *   node JVM          node-101 ... node-200
 * </pre>
 */
final class ScaleCluster implements AutoCloseable {

  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final String SYNC = "/apis/paramecium.dev/v1alpha1/sync";
  private static final Pattern TOTAL = Pattern.compile("(?m)^Total\\s+\\d+\\s+(\\d+)");

  final ApiHttp api;
  final Topology topology;

  /** From the start of the first process until every node knew all others. */
  final double secondsToConverge;

  private final Path home;
  private final Thread cleanup;

  ScaleCluster(Path home, int nodes, Consumer<String> progress) {
    this.home = home;
    this.cleanup = new Thread(() -> LocalCluster.kill(home), "bench cleanup");
    Runtime.getRuntime().addShutdownHook(cleanup);
    Ipv4Address block = LocalCluster.freeLoopbackBlock(nodes);
    topology = Topology.of(nodes, block.plus(1), LocalCluster.freePort());
    long start = System.nanoTime();
    LocalCluster cluster = LocalCluster.start(home, topology, block.toString(), _ -> {});
    api = new ApiHttp(cluster.apiServer());
    progress.accept(
        "starting " + nodes + " nodes in " + topology.jvms().size() + " JVMs and a control plane");
    cluster.awaitReady(_ -> {});
    await(node -> counter(node, "nodes") == nodes && settled(node));
    secondsToConverge = (System.nanoTime() - start) / 1e9;
    awaitOwnPods();
  }

  /** The cluster's own pods, as its DNS, are no part of what is measured. */
  private void awaitOwnPods() {
    Waiting.until(
        LIMIT,
        () -> {
          for (JsonNode pod : api.get("/api/v1/pods").path("items")) {
            if (!ApiHttp.isReady(pod)) {
              return false;
            }
          }
          return true;
        },
        () -> "the cluster's own pods were not ready after " + LIMIT.toSeconds() + " s.");
    Pods.awaitSynced(api, nodes(), LIMIT);
  }

  int nodes() {
    return topology.nodes().size();
  }

  /** A node's counter, 0 if it has none of that name. */
  static long counter(JsonNode node, String name) {
    return node.path("counters").path(name).asLong();
  }

  /** Whether nothing waits to be written to a node's maps. */
  static boolean settled(JsonNode node) {
    return node.path("pending").asInt() == 0;
  }

  /** What every node that answers says of itself. */
  JsonNode status() {
    return api.get(SYNC).path("nodes");
  }

  /**
   * Asks all nodes again and again until the condition has held of each once.
   *
   * @return for each node {@link System#nanoTime} after the first answer in which it held
   */
  Map<String, Long> await(Predicate<JsonNode> condition) {
    Map<String, Long> held = new HashMap<>();
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (held.size() < nodes()) {
      JsonNode status = status();
      long now = System.nanoTime();
      for (JsonNode node : status) {
        if (condition.test(node)) {
          held.putIfAbsent(node.path("name").asText(), now);
        }
      }
      if (now > deadline) {
        throw new IllegalStateException(
            nodes() - held.size() + " of " + nodes() + " nodes lag behind after " + LIMIT);
      }
    }
    return held;
  }

  /**
   * Bytes of live objects in a node JVM, after a collection.
   *
   * @param jvm its place in {@link Topology#jvms}
   */
  long liveBytes(int jvm) {
    List<ClusterFile.Process> processes = ClusterFile.read(home).orElseThrow().processes();
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    String pid = Long.toString(processes.get(1 + jvm).pid());
    try {
      Process process =
          new ProcessBuilder(jcmd.toString(), pid, "GC.class_histogram")
              .redirectErrorStream(true)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      Matcher total = TOTAL.matcher(output);
      if (!total.find()) {
        throw new IllegalStateException(jcmd + " " + pid + " GC.class_histogram said: " + output);
      }
      return Long.parseLong(total.group(1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What all processes of the cluster have taken of the machine's cores until now. */
  double cpuSeconds() {
    return ClusterFile.read(home).orElseThrow().processes().stream()
        .flatMap(process -> process.handle().stream())
        .flatMap(handle -> handle.info().totalCpuDuration().stream())
        .mapToDouble(cpu -> cpu.toMillis() / 1e3)
        .sum();
  }

  @Override
  public void close() {
    LocalCluster.kill(home);
    try {
      Runtime.getRuntime().removeShutdownHook(cleanup);
    } catch (IllegalStateException _) {
      // It is what runs.
    }
  }
}
