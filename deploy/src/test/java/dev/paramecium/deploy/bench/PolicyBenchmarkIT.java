package dev.paramecium.deploy.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** That there is something to measure; how fast it is, {@code paramecium bench policy} says. */
class PolicyBenchmarkIT {

  @Test
  void everyPolicyReachesEveryNode() {
    try (PolicyBenchmark benchmark = new PolicyBenchmark(new PolicyBenchmark.Size(3, 24, 6))) {
      Map<String, Double> figures = benchmark.measure();
      assertThat(figures)
          .containsOnlyKeys("all-p50", "all-p99", "node-p50", "node-p99", "burst")
          .allSatisfy((_, millis) -> assertThat(millis).isPositive());
      assertThat(figures.get("all-p99")).isGreaterThanOrEqualTo(figures.get("node-p50"));
    }
  }
}
