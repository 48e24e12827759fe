package dev.paramecium.policy.rule;

import java.util.Locale;

/**
 * A port of a rule.
 *
 * @param port a number, a name (IANA service name) or 0 for none, as written
 * @param protocol {@code TCP}, {@code UDP}, {@code ANY}, {@code ICMP}, {@code ICMPv6}; empty only
 *     in deny rules, which the agent does not validate
 */
public record PortProtocol(String port, String protocol) {

  public static final String TCP = "TCP";
  public static final String UDP = "UDP";
  public static final String ANY = "ANY";
  public static final String ICMP = "ICMP";
  public static final String ICMPV6 = "ICMPv6";

  /** An L3 rule's: no port, any protocol. */
  public static final PortProtocol NONE = new PortProtocol("0", ANY);

  /** The number in the IP header, 0 for any and for what is no protocol. */
  public static int number(String protocol) {
    return switch (protocol.toUpperCase(Locale.ROOT)) {
      case "ICMP" -> 1;
      case "TCP" -> 6;
      case "UDP" -> 17;
      case "ICMPV6" -> 58;
      case "SCTP" -> 132;
      default -> 0;
    };
  }

  /** Whether the port is a name: letters, digits, single dashes inside, at least one letter. */
  public boolean isNamed() {
    return isServiceName(port);
  }

  /** RFC 6335 section 5.1 (Cilium {@code pkg/iana}). */
  public static boolean isServiceName(String text) {
    return text.length() <= 15
        && text.matches("[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?")
        && !text.contains("--")
        && text.matches(".*[a-zA-Z].*");
  }

  @Override
  public String toString() {
    return port + "/" + protocol;
  }
}
