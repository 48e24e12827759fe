package dev.paramecium.metrics;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What was used lately.
 *
 * @param at when it was read last
 */
public record Metrics(Instant at, List<NodeMetrics> nodes, List<ContainerMetrics> containers) {

  /**
   * How much of something one thing uses.
   *
   * @param cpuNanos nanoseconds of processor time a second, over {@code window}
   * @param memoryBytes at its end
   */
  public record Usage(long cpuNanos, long memoryBytes, Duration window) {}

  /** A node's. */
  public record NodeMetrics(String node, Usage usage) {}

  /**
   * A container's.
   *
   * @param pod {@code namespace/name}
   */
  public record ContainerMetrics(String pod, String container, Usage usage) {}
}
