package dev.paramecium.abi;

/** IP protocol numbers and the names that Cilium prints them by ({@code pkg/u8proto}). */
public final class IpProtocol {

  public static final int ANY = 0;
  public static final int ICMP = 1;
  public static final int TCP = 6;
  public static final int UDP = 17;
  public static final int ICMPV6 = 58;
  public static final int SCTP = 132;

  private IpProtocol() {}

  /** {@code TCP}; a number that Cilium has no name for prints as the number. */
  public static String name(int protocol) {
    return switch (protocol) {
      case ANY -> "ANY";
      case ICMP -> "ICMP";
      case TCP -> "TCP";
      case UDP -> "UDP";
      case ICMPV6 -> "ICMPv6";
      case SCTP -> "SCTP";
      default -> Integer.toString(protocol);
    };
  }
}
