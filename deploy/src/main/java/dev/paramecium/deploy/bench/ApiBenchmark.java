package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * What one client gets from the API server: pods created, each durable before it is answered; the
 * list of all as the Table that kubectl prints; how long a watch takes to tell of a write. The pods
 * name a scheduler that nobody runs: they stay Pending, and only the API server is measured.
 */
final class ApiBenchmark implements AutoCloseable {

  private static final String PODS = "/api/v1/namespaces/default/pods";
  private static final String LISTED_PODS = "/api/v1/pods";

  /** kwok's own figure of pods created a second, in its documentation. */
  private static final double KWOK = 20;

  /** What a person waits for {@code kubectl get po -A}, in seconds. */
  private static final double PATIENCE = 2;

  private static final int LISTS = 9;
  private static final int WATCHED = 200;
  private static final double NANOS = 1e9;
  private static final double MILLIS = 1e6;

  private final Path home;
  private final ApiHttp api;
  private final Thread cleanup;
  private final int pods;

  ApiBenchmark(Path home, int pods, Consumer<String> progress) {
    this.home = home;
    this.pods = pods;
    this.cleanup = new Thread(() -> LocalCluster.kill(home), "bench cleanup");
    Runtime.getRuntime().addShutdownHook(cleanup);
    Ipv4Address block = LocalCluster.freeLoopbackBlock(1);
    Topology topology = Topology.of(1, block.plus(1), LocalCluster.freePort());
    LocalCluster cluster = LocalCluster.start(home, topology, block.toString(), progress);
    this.api = new ApiHttp(cluster.apiServer());
    cluster.awaitReady(progress);
  }

  void measure(Consumer<Row> rows) {
    create("warm-up-", pods / 5);
    double seconds = create("pod-", pods);
    rows.accept(
        new Row(
            "pods created through REST",
            "pods/s",
            pods / seconds,
            "kwok, pods/s",
            KWOK,
            pods / seconds / KWOK,
            10.0,
            false,
            pods
                + " pods, "
                + ManyRequests.IN_FLIGHT
                + " requests in flight, fsync before each answer"));
    int all = pods + pods / 5;
    rows.accept(listed("kubectl get po -A, its Table", ApiHttp.TABLE, all));
    rows.accept(listed("all pods as JSON", "application/json", all));
    watched(rows);
  }

  /** Creates pods; how many seconds it took. */
  private double create(String prefix, int count) {
    long start = System.nanoTime();
    ManyRequests.post(api, PODS, count, n -> pod(prefix + n));
    return (System.nanoTime() - start) / NANOS;
  }

  private static ObjectNode pod(String name) {
    ObjectNode pod = ApiHttp.JSON.createObjectNode().put("apiVersion", "v1").put("kind", "Pod");
    pod.putObject("metadata").put("name", name).putObject("labels").put("app", "bench");
    pod.putObject("spec")
        .put("schedulerName", "nobody")
        .putArray("containers")
        .addObject()
        .put("name", "main")
        .put("image", "pause");
    return pod;
  }

  private Row listed(String what, String accept, int expected) {
    double[] seconds = new double[LISTS];
    for (int i = 0; i < LISTS; i++) {
      long start = System.nanoTime();
      JsonNode list = api.get(LISTED_PODS, accept);
      seconds[i] = (System.nanoTime() - start) / NANOS;
      int found = Math.max(list.path("items").size(), list.path("rows").size());
      if (found < expected) {
        throw new IllegalStateException("a list of " + found + " pods, there are " + expected);
      }
    }
    Arrays.sort(seconds);
    double median = seconds[LISTS / 2];
    return new Row(
        what,
        "s",
        median,
        "patience, s",
        PATIENCE,
        median / PATIENCE,
        1.0,
        true,
        expected
            + " pods, one request, read and parsed; slowest of "
            + LISTS
            + ": "
            + String.format(Locale.ROOT, "%.2f s", seconds[LISTS - 1]));
  }

  /** From a request's start until a watch of all pods has told of it, beside the answer itself. */
  private void watched(Consumer<Row> rows) {
    double[] told = new double[WATCHED];
    double[] answered = new double[WATCHED];
    String revision = api.get(LISTED_PODS + "?limit=1").at("/metadata/resourceVersion").asText();
    try (BufferedReader watch =
        new BufferedReader(
            new InputStreamReader(
                api.stream(LISTED_PODS + "?watch=true&resourceVersion=" + revision),
                StandardCharsets.UTF_8))) {
      for (int i = 0; i < WATCHED; i++) {
        String name = "watched-" + i;
        CompletableFuture<Long> seen = new CompletableFuture<>();
        Thread.startVirtualThread(() -> await(watch, name, seen));
        long start = System.nanoTime();
        api.post(PODS, pod(name));
        answered[i] = (System.nanoTime() - start) / MILLIS;
        told[i] = (seen.join() - start) / MILLIS;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Arrays.sort(told);
    Arrays.sort(answered);
    double median = told[WATCHED / 2];
    rows.accept(
        new Row(
            "a created pod in a watch, p50",
            "ms",
            median,
            "the answer itself, p50",
            answered[WATCHED / 2],
            median / answered[WATCHED / 2],
            null,
            true,
            String.format(Locale.ROOT, "p99 %.1f ms", told[WATCHED * 99 / 100])));
  }

  private static void await(BufferedReader watch, String name, CompletableFuture<Long> seen) {
    try {
      for (String line = watch.readLine(); line != null; line = watch.readLine()) {
        if (line.contains("\"" + name + "\"")) {
          seen.complete(System.nanoTime());
          return;
        }
      }
      seen.completeExceptionally(new IllegalStateException("the watch ended"));
    } catch (IOException e) {
      seen.completeExceptionally(e);
    }
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
