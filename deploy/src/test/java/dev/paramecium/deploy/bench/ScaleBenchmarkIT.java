package dev.paramecium.deploy.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That there is something to measure; what it is, {@code paramecium bench scale} says. */
class ScaleBenchmarkIT {

  @Test
  void aClusterIsMeasuredFromItsStartToAPolicyOnAllNodes(@TempDir Path home) {
    List<Row> rows = new ArrayList<>();
    List<String> progress = new ArrayList<>();
    try (ScaleBenchmark benchmark =
        new ScaleBenchmark(home, new ScaleBenchmark.Size(6, 24), progress::add)) {
      benchmark.measure(rows::add);
    }
    assertThat(rows)
        .as("%s", progress)
        .extracting(Row::what)
        .containsSubsequence(
            "nodes up and converged",
            "live heap of an idle node",
            "pods created and reachable",
            "an identity on every node, p50",
            "an identity on every node, p99",
            "the first policy, on all nodes",
            "a policy on every node, p50",
            "a policy on every node, p99");
    assertThat(rows).allSatisfy(row -> assertThat(row.reference()).isPositive());
    assertThat(progress).anyMatch(line -> line.matches("pinged \\d+ of the pods, all answered"));
  }
}
