package dev.paramecium.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.kubelet.KubeletRequest.ContainerUsage;
import dev.paramecium.kubelet.KubeletRequest.NodeUsage;
import dev.paramecium.metrics.Metrics.ContainerMetrics;
import dev.paramecium.metrics.Metrics.NodeMetrics;
import dev.paramecium.metrics.Metrics.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MetricsServerTest {

  private static final long SECOND = 1_000_000_000;

  private static NodeUsage node(long epochMs, long cpuNs, ContainerUsage... containers) {
    return new NodeUsage("node-1", epochMs, cpuNs, 4096, List.of(containers));
  }

  private static ContainerUsage container(String id, long cpuNs, long atNs) {
    return new ContainerUsage("default/p", "c", id, cpuNs, atNs, 100);
  }

  private static Metrics rates(NodeUsage before, NodeUsage latest) {
    return MetricsServer.rates(Instant.EPOCH, Map.of("node-1", before), Map.of("node-1", latest));
  }

  @Test
  void aRateIsWhatWasUsedBetweenTwoReadings() {
    Metrics metrics =
        rates(
            node(1000, 5 * SECOND, container("a", SECOND, 0)),
            node(3000, 6 * SECOND, container("a", SECOND + SECOND / 2, 2 * SECOND)));
    assertThat(metrics.nodes())
        .containsExactly(
            new NodeMetrics("node-1", new Usage(SECOND / 2, 4096, Duration.ofSeconds(2))));
    assertThat(metrics.containers())
        .containsExactly(
            new ContainerMetrics(
                "default/p", "c", new Usage(SECOND / 4, 100, Duration.ofSeconds(2))));
  }

  @Test
  void whatIsNewHasNoRateYet() {
    Metrics metrics =
        rates(
            node(1000, 5 * SECOND, container("a", SECOND, 0)),
            node(3000, 6 * SECOND, container("b", SECOND, 2 * SECOND)));
    assertThat(metrics.containers()).isEmpty();
    Metrics restarted = rates(node(1000, 5 * SECOND), node(3000, SECOND));
    assertThat(restarted.nodes()).as("another process").isEmpty();
  }
}
