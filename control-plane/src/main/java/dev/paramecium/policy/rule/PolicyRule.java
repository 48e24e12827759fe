package dev.paramecium.policy.rule;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One rule of the agent's repository (Cilium {@code pkg/policy/api/rule.go}): whom it is about, and
 * in four sections what they may and may not do. A section that is there, even with nothing in it,
 * makes the direction closed by default.
 *
 * @param endpointSelector the pods; null if the rule is about nodes
 * @param nodeSelector the nodes; null if the rule is about pods
 * @param spec which of the object's specs: {@code spec}, {@code specs[1]}
 */
public record PolicyRule(
    PolicyName policy,
    String spec,
    @Nullable EndpointSelector endpointSelector,
    @Nullable EndpointSelector nodeSelector,
    List<TrafficRule> ingress,
    List<TrafficRule> ingressDeny,
    List<TrafficRule> egress,
    List<TrafficRule> egressDeny,
    List<Label> labels,
    String description) {

  public PolicyRule {
    ingress = List.copyOf(ingress);
    ingressDeny = List.copyOf(ingressDeny);
    egress = List.copyOf(egress);
    egressDeny = List.copyOf(egressDeny);
    labels = labels.stream().sorted().toList();
  }

  /**
   * Whether it is about the endpoint with these labels.
   *
   * @param host whether they are the host endpoint's, which only node selectors select
   */
  public boolean selects(LabelSet subject, boolean host) {
    EndpointSelector selector = host ? nodeSelector : endpointSelector;
    return selector != null && selector.matches(subject);
  }

  public boolean closesIngress() {
    return !ingress.isEmpty() || !ingressDeny.isEmpty();
  }

  public boolean closesEgress() {
    return !egress.isEmpty() || !egressDeny.isEmpty();
  }
}
