package dev.paramecium.agent.health;

import dev.paramecium.abi.Ipv4Address;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the latest probes found ({@code HealthStatusResponse}).
 *
 * @param startedAt when the latest round began
 * @param self {@code cluster/node}
 * @param nodes this node first, then the others by name
 */
public record HealthReport(Instant startedAt, String self, List<Node> nodes) {

  public HealthReport {
    nodes = List.copyOf(nodes);
  }

  /** How {@code cilium status} calls a path, or several taken together. */
  public enum Reachability {
    REACHABLE,
    UNREACHABLE,
    /** No probe has ended yet, as while a node starts. */
    UNKNOWN;

    @Override
    public String toString() {
      return switch (this) {
        case REACHABLE -> "reachable";
        case UNREACHABLE -> "unreachable";
        case UNKNOWN -> "unknown";
      };
    }
  }

  /**
   * One node.
   *
   * @param endpoint the path to its health endpoint, null while it has none
   */
  public record Node(String name, Path host, @Nullable Path endpoint) {

    /** Nothing that was probed has failed. */
    public boolean isHealthy() {
      return host.reachability() != Reachability.UNREACHABLE
          && (endpoint == null || endpoint.reachability() != Reachability.UNREACHABLE);
    }
  }

  /** What is known of one address; null for a probe that has not ended yet. */
  public record Path(Ipv4Address ip, @Nullable Probe icmp, @Nullable Probe http) {

    public Reachability reachability() {
      if (icmp != null && !icmp.failure().isEmpty() || http != null && !http.failure().isEmpty()) {
        return Reachability.UNREACHABLE;
      }
      return icmp == null || http == null ? Reachability.UNKNOWN : Reachability.REACHABLE;
    }
  }

  /**
   * One probe that has ended.
   *
   * @param failure why it failed, empty if it did not
   * @param latencyNs how long the answer took
   */
  public record Probe(String failure, long latencyNs) {}

  /** How many nodes are healthy. */
  public long healthy() {
    return nodes.stream().filter(Node::isHealthy).count();
  }
}
