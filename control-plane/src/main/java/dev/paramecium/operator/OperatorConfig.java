package dev.paramecium.operator;

import dev.paramecium.abi.Ipv4Prefix;
import java.time.Duration;

/**
 * What cilium-operator is configured with.
 *
 * @param clusterName Cilium's {@code cluster-name}; part of every identity's labels
 * @param clusterCidr {@code cluster-pool-ipv4-cidr}
 * @param nodeMaskSize {@code cluster-pool-ipv4-mask-size}: the length of each node's prefix
 * @param identityGrace how long an identity that no pod has is kept ({@code
 *     identity-heartbeat-timeout})
 */
public record OperatorConfig(
    String clusterName, Ipv4Prefix clusterCidr, int nodeMaskSize, Duration identityGrace) {

  public OperatorConfig {
    if (nodeMaskSize < clusterCidr.length() || nodeMaskSize > 30) {
      throw new IllegalArgumentException(
          "node mask size "
              + nodeMaskSize
              + " does not fit the cluster CIDR "
              + clusterCidr
              + ": it must be "
              + clusterCidr.length()
              + " to 30");
    }
  }

  /** A prefix of {@code clusterCidr} for each node, identities kept 30 minutes, as Cilium does. */
  public static OperatorConfig of(String clusterName, Ipv4Prefix clusterCidr, int nodeMaskSize) {
    return new OperatorConfig(clusterName, clusterCidr, nodeMaskSize, Duration.ofMinutes(30));
  }
}
