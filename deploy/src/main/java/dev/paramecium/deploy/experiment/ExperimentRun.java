package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.defect.Defect;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Resources;
import dev.paramecium.deploy.client.Waiting;
import dev.paramecium.deploy.experiment.ExperimentFile.Fault;
import dev.paramecium.deploy.experiment.History.Span;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An experiment with one seed, in a cluster where its setup is: workload, faults by the clock, and,
 * when all of them are over, a verdict from what was recorded.
 */
final class ExperimentRun {

  private static final Duration INJECTION = Duration.ofSeconds(30);

  private final ExperimentFile file;
  private final long seed;
  private final String id;
  private final @Nullable Defect defect;
  private final Consumer<String> progress;
  private final History history;
  private final Instant start = Instant.now();
  private Instant begun = start;

  /**
   * @param before what was recorded before in the same cluster
   * @param defect as for {@link ExperimentSeries#run}
   */
  ExperimentRun(
      ExperimentFile file,
      long seed,
      History before,
      @Nullable Defect defect,
      Consumer<String> progress) {
    this.defect = defect;
    this.file = file;
    this.seed = seed;
    this.id = Long.toString(seed, Character.MAX_RADIX);
    this.progress = progress;
    this.history = History.after(before);
  }

  /** Whatever happened until now. */
  History history() {
    return history;
  }

  /** Runs it to its end. */
  Verdict observe(ApiHttp api) throws InterruptedException {
    try {
      record(api);
    } catch (UserError | UncheckedIOException e) {
      history.failures.add(String.valueOf(e.getMessage()));
    }
    double seconds = Duration.between(start, Instant.now()).toMillis() / 1000.0;
    if (!history.stalls.isEmpty()) {
      history.notes.add(
          "the machine stood still "
              + history.stalls.size()
              + " times, %.1f s at most".formatted(longest(history.stalls)));
    }
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
        Invariants.all(file, history),
        Timeline.of(history, begun, Instant.now()));
  }

  private static double longest(List<Span> spans) {
    return spans.stream().mapToDouble(s -> seconds(s.from(), s.to())).max().orElse(0);
  }

  private void record(ApiHttp api) throws InterruptedException {
    String counters = Workload.CONFIG_MAPS + "?labelSelector=experiment%3D" + id;
    try (Recorder written = new Recorder(api, counters, history.configMaps);
        Recorder _ = new Recorder(api, "/apis/cilium.io/v2/ciliumidentities", history.identities);
        Recorder _ = new Recorder(api, "/api/v1/pods", history.pods);
        StallClock _ = new StallClock(history)) {
      Workload workload = new Workload(api, file, id, history);
      workload.start();
      progress.accept(
          "seed " + seed + ": the workload runs for " + file.duration().toMillis() / 1000.0 + " s");
      begun = Instant.now();
      if (defect != null) {
        defect.arm(1);
      }
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
      finish(api, counters, written);
    }
  }

  private void playSafely(ApiHttp api, Fault fault, Instant begun) {
    try {
      play(api, fault, begun);
    } catch (UserError | UncheckedIOException e) {
      history.failures.add(fault.object().path("kind").asText() + ": " + e.getMessage());
    }
  }

  private void finish(ApiHttp api, String counters, Recorder written) {
    Instant limit = start.plus(file.limit());
    List<String> differences = new ArrayList<>();
    while (true) {
      differences.clear();
      try {
        differences.addAll(MapCheck.differences(api, file.ports()));
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
    JsonNode list = Workload.patiently(() -> api.get(counters));
    list.path("items").forEach(history.finalConfigMaps::add);
    long last = 0;
    for (JsonNode item : list.path("items")) {
      last = Math.max(last, item.at("/metadata/resourceVersion").asLong());
    }
    long wanted = last;
    try {
      Waiting.until(
          Duration.ofSeconds(15), () -> written.revision() >= wanted, () -> "the watch is behind");
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
    awaitInjected(api, path, begun, what);
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
    history.faults.add(new Span(what, from, to, fault.excuses()));
    history.notes.add(
        "%s from %.1f s to %.1f s".formatted(what, seconds(begun, from), seconds(begun, to)));
  }

  /** A fault that was never there proves nothing: it lasts until it was, for once at least. */
  private void awaitInjected(ApiHttp api, String path, Instant begun, String what) {
    Instant limit = Instant.now().plus(INJECTION);
    JsonNode status = Workload.patiently(() -> api.find(path)).path("status");
    while (!wasInjected(status)) {
      if (Instant.now().isAfter(limit)) {
        history.failures.add(note(begun, what + " was never injected: " + status));
        return;
      }
      Workload.pause(Duration.ofMillis(50));
      status = Workload.patiently(() -> api.find(path)).path("status");
    }
  }

  /** One whose own duration is over has recovered by itself. */
  private static boolean wasInjected(JsonNode status) {
    for (JsonNode condition : status.path("conditions")) {
      if (condition.path("type").asText().equals("AllInjected")
          && condition.path("status").asText().equals("True")) {
        return true;
      }
    }
    return status.at("/experiment/desiredPhase").asText().equals("Stop");
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
