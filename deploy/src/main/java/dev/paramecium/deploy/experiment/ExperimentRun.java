package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Resources;
import dev.paramecium.deploy.client.Waiting;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.deploy.experiment.ExperimentFile.Fault;
import dev.paramecium.deploy.experiment.History.Span;
import dev.paramecium.deploy.verify.World;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Runs an experiment in a cluster of its own: setup, workload, faults by the clock, and, when all
 * of them are over, a verdict from what was recorded.
 */
public final class ExperimentRun {

  private static final Duration SETTLE = Duration.ofSeconds(90);
  private static final String CONFIG_MAPS =
      "/api/v1/namespaces/default/configmaps?labelSelector=experiment%3Dcounter";

  private final ExperimentFile file;
  private final long seed;
  private final Consumer<String> progress;
  private final History history = new History();
  private final Instant start = Instant.now();

  public ExperimentRun(ExperimentFile file, long seed, Consumer<String> progress) {
    this.file = file;
    this.seed = seed;
    this.progress = progress;
  }

  /**
   * Runs it to its end; nothing is left running.
   *
   * @throws UserError if the cluster cannot be started, or the time limit passes
   */
  public Verdict run() throws InterruptedException {
    Path home;
    try {
      home = Files.createTempDirectory("paramecium-experiment");
    } catch (IOException e) {
      throw new UncheckedIOException("no place for a cluster's state", e);
    }
    Thread atExit = new Thread(() -> LocalCluster.kill(home), "experiment cleanup");
    Runtime.getRuntime().addShutdownHook(atExit);
    try {
      Ipv4Address block = LocalCluster.freeLoopbackBlock(file.nodes());
      Topology plain = Topology.of(file.nodes(), block.plus(1), LocalCluster.freePort());
      LocalCluster cluster =
          LocalCluster.start(
              home,
              // A JVM for each node: a fault of one process is a fault of one node.
              new Topology(
                  plain.clusterName(),
                  plain.apiAddress(),
                  plain.apiPort(),
                  file.options(),
                  plain.nodes(),
                  1,
                  null),
              block.toString(),
              progress);
      cluster.awaitReady(progress);
      return observe(new ApiHttp(cluster.apiServer()));
    } finally {
      LocalCluster.kill(home);
      Runtime.getRuntime().removeShutdownHook(atExit);
    }
  }

  private Verdict observe(ApiHttp api) throws InterruptedException {
    World world = new World(api);
    file.setup().forEach(world::apply);
    world.settle(SETTLE);
    try {
      record(api);
    } catch (UserError | UncheckedIOException e) {
      history.failures.add(String.valueOf(e.getMessage()));
    }
    double seconds = Duration.between(start, Instant.now()).toMillis() / 1000.0;
    List<String> flows = new ArrayList<>();
    for (List<ExperimentFile.Flow> list : List.of(file.flows(), file.churn())) {
      list.forEach(f -> flows.add(f.name() + ": " + Invariants.count(history, f.name())));
    }
    return new Verdict(
        file.name(),
        file.source(),
        file.mirrors(),
        seed,
        seconds,
        flows,
        history.notes,
        Invariants.all(file, history));
  }

  private void record(ApiHttp api) throws InterruptedException {
    try (Recorder counters = new Recorder(api, CONFIG_MAPS, history.configMaps);
        Recorder _ = new Recorder(api, "/apis/cilium.io/v2/ciliumidentities", history.identities);
        Recorder _ = new Recorder(api, "/api/v1/pods", history.pods)) {
      Workload workload = new Workload(api, file, history);
      workload.start();
      progress.accept("the workload runs for " + file.duration().toSeconds() + " s");
      Instant begun = Instant.now();
      List<Thread> faults = new ArrayList<>();
      for (Fault fault : file.faults()) {
        faults.add(Thread.ofVirtual().start(() -> playSafely(api, fault, begun)));
      }
      sleepUntil(begun.plus(file.duration()));
      for (Thread fault : faults) {
        fault.join();
      }
      workload.stop();
      progress.accept("the faults are over; waiting until every node is in sync");
      finish(api, counters);
    }
  }

  private void playSafely(ApiHttp api, Fault fault, Instant begun) {
    try {
      play(api, fault, begun);
    } catch (UserError | UncheckedIOException e) {
      history.failures.add(fault.object().path("kind").asText() + ": " + e.getMessage());
    }
  }

  private void finish(ApiHttp api, Recorder counters) {
    Instant limit = start.plus(file.limit());
    List<String> differences = new ArrayList<>();
    while (true) {
      differences.clear();
      try {
        differences.addAll(MapCheck.differences(api));
      } catch (UserError e) {
        differences.add(String.valueOf(e.getMessage()));
      }
      Instant now = Instant.now();
      if (differences.isEmpty() || now.isAfter(limit)) {
        break;
      }
      Workload.pause(Duration.ofMillis(500));
    }
    history.differences.addAll(differences);
    JsonNode list = Workload.patiently(() -> api.get(CONFIG_MAPS));
    list.path("items").forEach(history.finalConfigMaps::add);
    long last = 0;
    for (JsonNode item : list.path("items")) {
      last = Math.max(last, item.at("/metadata/resourceVersion").asLong());
    }
    long wanted = last;
    try {
      Waiting.until(
          Duration.ofSeconds(15), () -> counters.revision() >= wanted, () -> "the watch is behind");
    } catch (UserError _) {
      // What it has not said is found by the invariant.
    }
  }

  /** Applies a fault's object, waits until it is injected, and takes it away when it is time. */
  private void play(ApiHttp api, Fault fault, Instant begun) {
    sleepUntil(begun.plus(fault.at()));
    ObjectNode object = fault.object().deepCopy();
    ObjectNode metadata = object.withObject("/metadata");
    Resources.Resource resource =
        Workload.patiently(
            () ->
                Resources.discover(api)
                    .of(object.path("apiVersion").asText(), object.path("kind").asText()));
    String namespace = resource.namespaced() ? metadata.path("namespace").asText("default") : "";
    String path = resource.path(namespace) + "/" + metadata.path("name").asText();
    String what = object.path("kind").asText() + " " + metadata.path("name").asText();
    Instant from = Instant.now();
    try {
      api.post(resource.path(namespace), object);
    } catch (UserError e) {
      history.failures.add(note(begun, what + " was refused: " + e.getMessage()));
      return;
    }
    sleepUntil(begun.plus(fault.at()).plus(fault.lasts()));
    Workload.patiently(
        () ->
            api.find(path).isMissingNode()
                ? ApiHttp.JSON.createObjectNode()
                : api.delete(path, ApiHttp.JSON.createObjectNode()));
    Instant limit = start.plus(file.limit());
    while (!Workload.patiently(() -> api.find(path)).isMissingNode()) {
      if (Instant.now().isAfter(limit)) {
        history.failures.add(note(begun, what + " has not ended in the time limit"));
        break;
      }
      Workload.pause(Duration.ofMillis(100));
    }
    Instant to = Instant.now();
    history.faults.add(new Span(what, from, to, fault.excusesDenials()));
    history.notes.add(
        "%s from %.1f s to %.1f s".formatted(what, seconds(begun, from), seconds(begun, to)));
  }

  private static String note(Instant begun, String what) {
    return "%.1f s: %s".formatted(seconds(begun, Instant.now()), what);
  }

  private static double seconds(Instant begun, Instant time) {
    return Duration.between(begun, time).toMillis() / 1000.0;
  }

  private static void sleepUntil(Instant time) {
    Duration left = Duration.between(Instant.now(), time);
    if (left.isPositive()) {
      Workload.pause(left);
    }
  }
}
