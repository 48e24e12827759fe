package dev.paramecium.deploy.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That there is something to measure; how fast it is, {@code paramecium bench api} says. */
class ApiBenchmarkIT {

  @Test
  void podsAreCreatedListedAndWatched(@TempDir Path home) {
    List<Row> rows = new ArrayList<>();
    try (ApiBenchmark benchmark = new ApiBenchmark(home, 50, _ -> {})) {
      benchmark.measure(rows::add);
    }
    assertThat(rows)
        .extracting(Row::what)
        .containsExactly(
            "pods created through REST",
            "kubectl get po -A, its Table",
            "all pods as JSON",
            "a created pod in a watch, p50");
    assertThat(rows).allSatisfy(row -> assertThat(row.figure()).isPositive());
  }
}
