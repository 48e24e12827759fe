package dev.paramecium.datapath.trace;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.syscall.TraceFilter;

/**
 * What an ICMP message says (RFC 792): an echo by its identifier and sequence number, an error by
 * the packet that it quotes.
 *
 * @param identifier of an echo, else 0
 * @param sequence of an echo, else 0
 * @param protocol of the packet that an error quotes; -1 if it quotes none
 */
record IcmpDigest(
    int type,
    int code,
    int identifier,
    int sequence,
    int protocol,
    int source,
    int destination,
    int sourcePort,
    int destinationPort) {

  private static final int HEADER = 8;
  private static final int IPV4 = 20;
  private static final int ECHO_REPLY = 0;
  private static final int UNREACHABLE = 3;
  private static final int ECHO_REQUEST = 8;
  private static final int TIME_EXCEEDED = 11;
  private static final int PARAMETER_PROBLEM = 12;

  /** The message at {@code at}, of at least eight bytes. */
  static IcmpDigest at(SkBuff frame, int at, int end) {
    int type = frame.u8(at);
    int code = frame.u8(at + 1);
    boolean echo = type == ECHO_REPLY || type == ECHO_REQUEST;
    boolean error = type == UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
    int quoted = at + HEADER;
    if (!error || end - quoted < IPV4) {
      return new IcmpDigest(
          type, code, echo ? frame.u16(at + 4) : 0, echo ? frame.u16(at + 6) : 0, -1, 0, 0, 0, 0);
    }
    int protocol = frame.u8(quoted + 9);
    int ports = quoted + (frame.u8(quoted) & 15) * 4;
    boolean hasPorts =
        (protocol == IpProtocol.TCP || protocol == IpProtocol.UDP) && end - ports >= 4;
    return new IcmpDigest(
        type,
        code,
        0,
        0,
        protocol,
        frame.i32(quoted + 12),
        frame.i32(quoted + 16),
        hasPorts ? frame.u16(ports) : 0,
        hasPorts ? frame.u16(ports + 2) : 0);
  }

  /** Whether it is an error about a packet that goes the filter's way. */
  boolean isAbout(TraceFilter filter) {
    return protocol == filter.protocol()
        && source == filter.source().value()
        && destination == filter.destination().value()
        && (filter.sourcePort() == 0 || sourcePort == filter.sourcePort())
        && (filter.protocol() == IpProtocol.ICMP
            || filter.destinationPort() == 0
            || destinationPort == filter.destinationPort());
  }

  /** In the words of tcpdump. */
  String text() {
    return switch (type) {
      case ECHO_REQUEST -> "echo request, id " + identifier + ", seq " + sequence;
      case ECHO_REPLY -> "echo reply, id " + identifier + ", seq " + sequence;
      case UNREACHABLE -> unreachable();
      case TIME_EXCEEDED -> code == 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
      case PARAMETER_PROBLEM -> "parameter problem";
      default -> "type-#" + type;
    };
  }

  private String unreachable() {
    String to = Ipv4Address.format(destination);
    return switch (code) {
      case 0 -> "net " + to + " unreachable";
      case 1 -> "host " + to + " unreachable";
      case 2 -> to + " protocol " + protocol + " unreachable";
      case 3 ->
          to
              + (protocol == IpProtocol.TCP ? " tcp" : protocol == IpProtocol.UDP ? " udp" : "")
              + " port "
              + destinationPort
              + " unreachable";
      case 4 -> to + " unreachable - need to frag";
      default -> to + " unreachable, code " + code;
    };
  }
}
