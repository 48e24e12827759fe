package dev.paramecium.policy;

import dev.paramecium.policy.rule.Label;
import dev.paramecium.policy.rule.PolicyName;
import java.util.Comparator;
import java.util.List;

/**
 * Where a policy map entry comes from: one section of one rule of one policy, or the agent itself.
 *
 * @param section {@code spec.ingress[0]}, {@code specs[1].egressDeny[2]}
 * @param labels the rule's, as {@code cilium bpf policy get} and the monitor show them
 */
public record RuleOrigin(PolicyName policy, String section, List<Label> labels)
    implements Comparable<RuleOrigin> {

  /** The direction is open because no rule closes it. */
  public static final RuleOrigin ALLOW_ANY_INGRESS = agent("allow-any-ingress");

  public static final RuleOrigin ALLOW_ANY_EGRESS = agent("allow-any-egress");

  /** The node itself may always reach its pods. */
  public static final RuleOrigin ALLOW_LOCALHOST_INGRESS = agent("allow-localhost-ingress");

  private static final Comparator<RuleOrigin> ORDER =
      Comparator.comparing((RuleOrigin origin) -> origin.policy().toString())
          .thenComparing(RuleOrigin::section);

  private static RuleOrigin agent(String why) {
    return new RuleOrigin(
        new PolicyName("", "", why, ""),
        "",
        List.of(new Label(Label.RESERVED, "io.cilium.policy.derived-from", why)));
  }

  @Override
  public int compareTo(RuleOrigin other) {
    return ORDER.compare(this, other);
  }

  /** {@code NetworkPolicy default/allow-web spec.ingress[0]}. */
  @Override
  public String toString() {
    return section.isEmpty() ? policy.toString() : policy + " " + section;
  }
}
