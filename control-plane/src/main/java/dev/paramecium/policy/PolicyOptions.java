package dev.paramecium.policy;

import dev.paramecium.policy.rule.Entity;
import java.time.Duration;
import java.util.List;

/**
 * What the agent is configured with, as far as policy goes; by the names of Cilium's ConfigMap.
 *
 * @param enforcement {@code enable-policy}
 * @param allowLocalhost {@code allow-localhost}: whether the node may always reach its pods
 * @param hostFirewall {@code enable-host-firewall}
 * @param clusterName {@code cluster-name}
 * @param minTtl {@code tofqdns-min-ttl}: how long an address of a name counts at least
 */
public record PolicyOptions(
    Enforcement enforcement,
    boolean allowLocalhost,
    boolean hostFirewall,
    String clusterName,
    Duration minTtl) {

  /** {@code defaults.ToFQDNsMinTTL}. */
  public static final Duration DEFAULT_MIN_TTL = Duration.ofHours(1);

  public PolicyOptions(
      Enforcement enforcement, boolean allowLocalhost, boolean hostFirewall, String clusterName) {
    this(enforcement, allowLocalhost, hostFirewall, clusterName, DEFAULT_MIN_TTL);
  }

  /** v1.12.3 on Kubernetes. */
  public static final PolicyOptions DEFAULT =
      new PolicyOptions(Enforcement.DEFAULT, true, false, "default");

  /** When a direction is closed. */
  public enum Enforcement {
    /** As soon as one rule says something about it. */
    DEFAULT,
    ALWAYS,
    NEVER
  }

  /** The peers whom L7 rules must not hold up, because the node may always come in. */
  List<Entity> unrestricted() {
    return allowLocalhost ? List.of(Entity.HOST) : List.of();
  }
}
