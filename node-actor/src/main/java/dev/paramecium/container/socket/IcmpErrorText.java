package dev.paramecium.container.socket;

/** ICMP errors (RFC 792, RFC 1812) in the words of ping(8). */
public final class IcmpErrorText {

  private IcmpErrorText() {}

  public static String of(int type, int code) {
    return switch (type) {
      case 3 ->
          switch (code) {
            case 0 -> "Destination Net Unreachable";
            case 1 -> "Destination Host Unreachable";
            case 2 -> "Destination Protocol Unreachable";
            case 3 -> "Destination Port Unreachable";
            case 4 -> "Frag needed and DF set";
            case 9 -> "Destination Net Prohibited";
            case 10 -> "Destination Host Prohibited";
            case 13 -> "Packet filtered";
            default -> "Dest Unreachable, Bad Code: " + code;
          };
      case 11 -> code == 0 ? "Time to live exceeded" : "Frag reassembly time exceeded";
      case 4 -> "Source Quench";
      case 5 -> "Redirect Host";
      case 12 -> "Parameter problem";
      default -> "Bad ICMP type: " + type;
    };
  }
}
