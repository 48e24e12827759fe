package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.deploy.experiment.ExperimentFile;
import dev.paramecium.deploy.experiment.ExperimentSeries;
import dev.paramecium.deploy.experiment.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What {@code chaos run docs/experiments/*.yaml --short --in-process --seeds 20} does. */
class ExperimentsIT {

  private static final int SEEDS = 20;

  /** They mostly wait for the clock. */
  private static final int AT_ONCE = 4;

  private static final Path FOLDER = Path.of("..", "docs", "experiments");

  /** Those that restart something take longest: they begin. */
  private static List<Path> shipped() throws IOException {
    try (var files = Files.list(FOLDER)) {
      return files
          .sorted(Comparator.comparing(ExperimentsIT::restarts).reversed().thenComparing(f -> f))
          .toList();
    }
  }

  private static boolean restarts(Path file) {
    return ExperimentFile.read(file.toString(), 1, true).faults().stream()
        .anyMatch(
            fault -> fault.object().path("kind").asText().matches("(Node|ControlPlane)Chaos"));
  }

  private static List<Verdict> run(String file) throws InterruptedException {
    List<Verdict> verdicts = new ArrayList<>();
    try (ExperimentSeries series = new ExperimentSeries(true, _ -> {})) {
      for (long seed = 1; seed <= SEEDS; seed++) {
        Verdict verdict = series.run(ExperimentFile.read(file, seed, true), seed);
        System.out.print(verdict.line());
        verdicts.add(verdict);
      }
    }
    return verdicts;
  }

  @Test
  void everyShippedExperimentHoldsWithTwentySeeds() throws Exception {
    long start = System.nanoTime();
    List<Future<List<Verdict>>> runs = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
      for (Path file : shipped()) {
        runs.add(threads.submit(() -> run(file.toString())));
      }
    }
    List<Verdict> verdicts = new ArrayList<>();
    for (Future<List<Verdict>> run : runs) {
      verdicts.addAll(verdicts(run));
    }
    System.out.printf(
        "%d runs in %d s%n",
        verdicts.size(), Duration.ofNanos(System.nanoTime() - start).toSeconds());
    assertThat(verdicts).hasSize(SEEDS * shipped().size());
    assertThat(verdicts.stream().filter(verdict -> !verdict.holds()).map(Verdict::text)).isEmpty();
  }

  private static List<Verdict> verdicts(Future<List<Verdict>> run) throws Exception {
    try {
      return run.get();
    } catch (ExecutionException e) {
      throw new AssertionError("an experiment did not run to its end", e.getCause());
    }
  }
}
