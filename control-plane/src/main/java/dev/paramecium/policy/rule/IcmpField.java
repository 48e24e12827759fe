package dev.paramecium.policy.rule;

/**
 * One ICMP type of a rule.
 *
 * @param family {@code IPv4}, {@code IPv6}; empty is IPv4
 * @param type 0 to 255
 */
public record IcmpField(String family, int type) {

  /** As the policy map holds it: the type is the port. */
  public PortProtocol portProtocol() {
    return new PortProtocol(
        Integer.toString(type), family.equals("IPv6") ? PortProtocol.ICMPV6 : PortProtocol.ICMP);
  }
}
