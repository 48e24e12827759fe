package dev.paramecium.inspect.cilium;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.inspect.packet.Packet;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A packet as {@code cilium monitor} tells it: in one line ({@code pkg/monitor/dissect.go}), or
 * layer by layer as the gopacket library prints.
 */
final class Dissection {

  private static final List<String> UNREACHABLE =
      List.of(
          "Net",
          "Host",
          "Protocol",
          "Port",
          "FragmentationNeeded",
          "SourceRoutingFailed",
          "NetUnknown",
          "HostUnknown",
          "SourceIsolated",
          "NetAdminProhibited",
          "HostAdminProhibited",
          "NetTOS",
          "HostTOS",
          "CommAdminProhibited",
          "HostPrecedence",
          "PrecedenceCutoff");

  private Dissection() {}

  /** {@code 10.0.0.192:34219 -> 10.0.0.164:9080 tcp SYN}. */
  static String connection(Packet packet) {
    if (packet.hasIcmp()) {
      return ends(packet) + " " + icmp(packet);
    }
    if (packet.hasTcp()) {
      return endsWithPorts(packet) + " tcp " + tcpFlags(packet);
    }
    if (packet.hasUdp()) {
      return endsWithPorts(packet) + " udp";
    }
    if (packet.hasIpv4()) {
      return ends(packet);
    }
    if (packet.hasEthernet()) {
      return packet.sourceMac() + " -> " + packet.destinationMac() + " " + etherType(packet);
    }
    return "[unknown]";
  }

  private static String ends(Packet packet) {
    return packet.source() + " -> " + packet.destination();
  }

  private static String endsWithPorts(Packet packet) {
    return packet.source()
        + ":"
        + packet.sourcePort()
        + " -> "
        + packet.destination()
        + ":"
        + packet.destinationPort();
  }

  private static String tcpFlags(Packet packet) {
    List<String> flags = new ArrayList<>();
    int bits = packet.tcpFlags();
    if ((bits & Packet.TCP_SYN) != 0) {
      flags.add("SYN");
    }
    if ((bits & Packet.TCP_ACK) != 0) {
      flags.add("ACK");
    }
    if ((bits & Packet.TCP_RST) != 0) {
      flags.add("RST");
    }
    if ((bits & Packet.TCP_FIN) != 0) {
      flags.add("FIN");
    }
    return String.join(", ", flags);
  }

  private static String etherType(Packet packet) {
    return switch (packet.etherType()) {
      case Packet.ETHERTYPE_IPV4 -> "IPv4";
      case Packet.ETHERTYPE_ARP -> "ARP";
      case Packet.ETHERTYPE_IPV6 -> "IPv6";
      default -> "UnknownEthernetType";
    };
  }

  /** gopacket's name of an ICMPv4 type, with the code's where it has codes. */
  private static String icmp(Packet packet) {
    int code = packet.icmpCode();
    return switch (packet.icmpType()) {
      case 0 -> "EchoReply";
      case 3 ->
          "DestinationUnreachable("
              + (code < UNREACHABLE.size() ? UNREACHABLE.get(code) : "Code: " + code)
              + ")";
      case 4 -> "SourceQuench";
      case 5 ->
          "Redirect("
              + (code < 4
                  ? List.of("Net", "Host", "TOS+Net", "TOS+Host").get(code)
                  : "Code: " + code)
              + ")";
      case 8 -> "EchoRequest";
      case 9 -> "RouterAdvertisement";
      case 10 -> "RouterSolicitation";
      case 11 ->
          "TimeExceeded("
              + (code < 2
                  ? List.of("TTLExceeded", "FragmentReassemblyTimeExceeded").get(code)
                  : "Code: " + code)
              + ")";
      case 12 -> "ParameterProblem(" + code + ")";
      case 13 -> "TimestampRequest";
      case 14 -> "TimestampReply";
      default -> packet.icmpType() + "(" + code + ")";
    };
  }

  // ---- layer by layer

  /** One line a layer. */
  static String layers(Packet packet) {
    StringBuilder text = new StringBuilder();
    if (packet.hasEthernet()) {
      text.append(ethernet(packet)).append('\n');
    }
    if (packet.hasIpv4()) {
      text.append(ipv4(packet)).append('\n');
    }
    if (packet.hasTcp()) {
      text.append(tcp(packet)).append('\n');
    } else if (packet.hasUdp()) {
      text.append(udp(packet)).append('\n');
    } else if (packet.hasIcmp()) {
      text.append(icmpv4(packet)).append('\n');
    }
    if (packet.hasIpv4() && packet.networkOffset() + packet.totalLength() > packet.end()) {
      text.append("  Packet has been truncated\n");
    }
    return text.toString();
  }

  static ObjectNode summary(Packet packet) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (packet.hasEthernet()) {
      json.put("ethernet", ethernet(packet));
    }
    if (packet.hasIpv4()) {
      json.put("ipv4", ipv4(packet));
    }
    if (packet.hasTcp()) {
      json.put("tcp", tcp(packet));
    }
    if (packet.hasUdp()) {
      json.put("udp", udp(packet));
    }
    if (packet.hasIcmp()) {
      json.put("icmpv4", icmpv4(packet));
    }
    if (packet.hasEthernet()) {
      json.putObject("l2")
          .put("src", packet.sourceMac().toString())
          .put("dst", packet.destinationMac().toString());
    }
    if (packet.hasIpv4()) {
      json.putObject("l3")
          .put("src", packet.source().toString())
          .put("dst", packet.destination().toString());
    }
    if (packet.hasTcp() || packet.hasUdp()) {
      json.putObject("l4")
          .put("src", Integer.toString(packet.sourcePort()))
          .put("dst", Integer.toString(packet.destinationPort()));
    }
    return json;
  }

  /** A byte slice: its elements, or how many if there are more than four. */
  private static String slice(Packet packet, int from, int to) {
    int length = Math.max(0, to - from);
    if (length > 4) {
      return "[.." + length + "..]";
    }
    List<String> elements = new ArrayList<>();
    for (int i = from; i < from + length; i++) {
      elements.add(Integer.toString(packet.u8(i)));
    }
    return "[" + String.join(", ", elements) + "]";
  }

  private static String base(String name, Packet packet, int from, int payload, int end) {
    return name
        + "\t{Contents="
        + slice(packet, from, payload)
        + " Payload="
        + slice(packet, payload, end);
  }

  private static String ethernet(Packet packet) {
    return base("Ethernet", packet, packet.start(), packet.start() + 14, packet.end())
        + " SrcMAC="
        + packet.sourceMac()
        + " DstMAC="
        + packet.destinationMac()
        + " EthernetType="
        + etherType(packet)
        + " Length=0}";
  }

  /** The end of the datagram, or of what was captured of it. */
  private static int datagramEnd(Packet packet) {
    return Math.min(packet.end(), packet.networkOffset() + packet.totalLength());
  }

  private static String ipv4(Packet packet) {
    String flags =
        packet.dontFragment() && packet.moreFragments()
            ? "DF|MF"
            : packet.dontFragment() ? "DF" : packet.moreFragments() ? "MF" : "";
    return base(
            "IPv4", packet, packet.networkOffset(), packet.transportOffset(), datagramEnd(packet))
        + " Version=4 IHL="
        + packet.headerLength() / 4
        + " TOS="
        + packet.tos()
        + " Length="
        + packet.totalLength()
        + " Id="
        + packet.identification()
        + " Flags="
        + flags
        + " FragOffset="
        + packet.fragmentOffset() / 8
        + " TTL="
        + packet.ttl()
        + " Protocol="
        + protocol(packet.protocol())
        + " Checksum="
        + packet.ipChecksum()
        + " SrcIP="
        + packet.source()
        + " DstIP="
        + packet.destination()
        + " Options=[] Padding=[]}";
  }

  private static String protocol(int number) {
    return switch (number) {
      case 1 -> "ICMPv4";
      case 6 -> "TCP";
      case 17 -> "UDP";
      case 58 -> "ICMPv6";
      case 132 -> "SCTP";
      default -> Integer.toString(number);
    };
  }

  /** A port with its service's name, of the few that a cluster uses all the time. */
  private static String port(int port) {
    String name =
        switch (port) {
          case 22 -> "ssh";
          case 53 -> "domain";
          case 80 -> "http";
          case 443 -> "https";
          case 8080 -> "http-alt";
          default -> "";
        };
    return name.isEmpty() ? Integer.toString(port) : port + "(" + name + ")";
  }

  private static String tcp(Packet packet) {
    int options = packet.transportOffset() + 20;
    int payload = packet.transportOffset() + packet.tcpHeaderLength();
    int bits = packet.tcpFlags();
    return base(
            "TCP",
            packet,
            packet.transportOffset(),
            Math.min(payload, datagramEnd(packet)),
            datagramEnd(packet))
        + " SrcPort="
        + port(packet.sourcePort())
        + " DstPort="
        + port(packet.destinationPort())
        + " Seq="
        + packet.tcpSequence()
        + " Ack="
        + packet.tcpAcknowledgement()
        + " DataOffset="
        + packet.tcpHeaderLength() / 4
        + " FIN="
        + ((bits & Packet.TCP_FIN) != 0)
        + " SYN="
        + ((bits & Packet.TCP_SYN) != 0)
        + " RST="
        + ((bits & Packet.TCP_RST) != 0)
        + " PSH="
        + ((bits & Packet.TCP_PSH) != 0)
        + " ACK="
        + ((bits & Packet.TCP_ACK) != 0)
        + " URG="
        + ((bits & Packet.TCP_URG) != 0)
        + " ECE="
        + ((bits & Packet.TCP_ECE) != 0)
        + " CWR="
        + ((bits & Packet.TCP_CWR) != 0)
        + " NS=false Window="
        + packet.tcpWindow()
        + " Checksum="
        + packet.tcpChecksum()
        + " Urgent="
        + packet.tcpUrgent()
        + " Options="
        + tcpOptions(packet, options, Math.min(payload, datagramEnd(packet)))
        + " Padding=[]}";
  }

  private static String tcpOptions(Packet packet, int from, int end) {
    List<String> options = new ArrayList<>();
    int at = from;
    while (at < end && packet.u8(at) != 0) {
      int kind = packet.u8(at);
      int length = kind == 1 ? 1 : at + 1 < end ? packet.u8(at + 1) : 0;
      if (length < 1 || (kind != 1 && length < 2) || at + length > end) {
        break;
      }
      options.add(tcpOption(packet, at, kind, length));
      at += length;
    }
    return options.size() > 4
        ? "[.." + options.size() + "..]"
        : "[" + String.join(", ", options) + "]";
  }

  private static String tcpOption(Packet packet, int at, int kind, int length) {
    StringBuilder data = new StringBuilder();
    for (int i = at + 2; i < at + length; i++) {
      data.append(String.format(Locale.ROOT, "%02x", packet.u8(i)));
    }
    String hex = data.isEmpty() ? "" : " 0x" + data;
    return switch (kind) {
      case 1 -> "TCPOption(NOP:)";
      case 2 -> "TCPOption(MSS:" + (length == 4 ? packet.u16(at + 2) + hex : "") + ")";
      case 3 -> "TCPOption(WindowScale:" + (length == 3 ? packet.u8(at + 2) + hex : "") + ")";
      case 4 -> "TCPOption(SACKPermitted:" + ")";
      case 8 ->
          "TCPOption(Timestamps:"
              + (length == 10 ? packet.u32(at + 2) + "/" + packet.u32(at + 6) + hex : "")
              + ")";
      default -> "TCPOption(" + (kind == 5 ? "SACK" : Integer.toString(kind)) + ":" + hex + ")";
    };
  }

  private static String udp(Packet packet) {
    return base(
            "UDP",
            packet,
            packet.transportOffset(),
            packet.transportOffset() + 8,
            datagramEnd(packet))
        + " SrcPort="
        + port(packet.sourcePort())
        + " DstPort="
        + port(packet.destinationPort())
        + " Length="
        + packet.udpLength()
        + " Checksum="
        + packet.udpChecksum()
        + "}";
  }

  private static String icmpv4(Packet packet) {
    return base(
            "ICMPv4",
            packet,
            packet.transportOffset(),
            packet.transportOffset() + 8,
            datagramEnd(packet))
        + " TypeCode="
        + icmp(packet)
        + " Checksum="
        + packet.icmpChecksum()
        + " Id="
        + packet.icmpId()
        + " Seq="
        + packet.icmpSequence()
        + "}";
  }

  /** As Go's {@code hex.Dump}. */
  static String hexDump(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < bytes.length; row += 16) {
      text.append(String.format(Locale.ROOT, "%08x", row));
      for (int i = 0; i < 16; i++) {
        text.append(i % 8 == 0 ? "  " : " ");
        text.append(
            row + i < bytes.length
                ? String.format(Locale.ROOT, "%02x", bytes[row + i] & 0xff)
                : "  ");
      }
      text.append("  |");
      for (int i = row; i < Math.min(row + 16, bytes.length); i++) {
        text.append(bytes[i] >= 32 && bytes[i] < 127 ? (char) bytes[i] : '.');
      }
      text.append("|\n");
    }
    return text.toString();
  }
}
