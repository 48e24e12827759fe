package dev.paramecium.inspect.tcpdump;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.inspect.packet.Packet;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A frame as tcpdump 4.99 prints it, without its time. UDP 8472 is printed as VXLAN, which is what
 * Cilium speaks there; tcpdump itself does so with {@code -T vxlan}, and takes it for OTV without.
 */
final class PacketPrinter {

  /** What the command line asks for. */
  record Style(
      boolean numeric, boolean link, int verbosity, boolean quiet, boolean absoluteSequence) {}

  private static final List<String> FLAG_LETTERS = List.of("F", "S", "R", "P", ".", "U", "E", "W");

  private final Style style;
  private final TcpConversations conversations = new TcpConversations();

  PacketPrinter(Style style) {
    this.style = style;
  }

  /**
   * An Ethernet frame.
   *
   * @param length of the whole frame
   */
  String frame(Packet packet, int length) {
    if (!packet.hasEthernet()) {
      return "[|ether]";
    }
    String link = "";
    if (style.link) {
      link =
          packet.sourceMac()
              + " > "
              + packet.destinationMac()
              + (packet.vlan() >= 0
                  ? ", ethertype 802.1Q (0x8100), length "
                      + length
                      + ": vlan "
                      + packet.vlan()
                      + ", p 0, ethertype "
                      + etherType(packet.etherType())
                      + ", "
                  : ", ethertype " + etherType(packet.etherType()) + ", length " + length + ": ");
    }
    return link + network(packet, length, !style.link);
  }

  static String etherType(int type) {
    String name =
        switch (type) {
          case Packet.ETHERTYPE_IPV4 -> "IPv4";
          case Packet.ETHERTYPE_ARP -> "ARP";
          case Packet.ETHERTYPE_IPV6 -> "IPv6";
          case 0x88cc -> "LLDP";
          default -> "Unknown";
        };
    return name + String.format(Locale.ROOT, " (0x%04x)", type);
  }

  /** What is above Ethernet; named, unless the line already says its Ethernet type. */
  String network(Packet packet, int length, boolean named) {
    int payload = length - (packet.networkOffset() - packet.start());
    return switch (packet.etherType()) {
      case Packet.ETHERTYPE_IPV4 ->
          (named ? "IP " : "") + (packet.hasIpv4() ? ipv4(packet) : "[|ip]");
      case Packet.ETHERTYPE_ARP -> (named ? "ARP, " : "") + arp(packet, payload);
      case Packet.ETHERTYPE_IPV6 -> (named ? "IP6 " : "") + "length " + payload;
      case 0x88cc -> "LLDP, length " + payload;
      default ->
          named
              ? packet.sourceMac()
                  + " > "
                  + packet.destinationMac()
                  + ", ethertype "
                  + etherType(packet.etherType())
                  + ", length "
                  + length
                  + ":"
              : "";
    };
  }

  // ---- ARP

  private String arp(Packet packet, int length) {
    if (!packet.hasArp()) {
      return "[|arp]";
    }
    String head = style.verbosity > 0 ? "Ethernet (len 6), IPv4 (len 4), " : "";
    return head
        + switch (packet.arpOperation()) {
          case 1 -> {
            boolean unknown = packet.arpTargetMac().value() == 0;
            yield "Request who-has "
                + packet.arpTarget()
                + (unknown ? "" : " (" + packet.arpTargetMac() + ")")
                + " tell "
                + packet.arpSender();
          }
          case 2 -> "Reply " + packet.arpSender() + " is-at " + packet.arpSenderMac();
          default -> "Unknown (" + packet.arpOperation() + ")";
        }
        + ", length "
        + length;
  }

  // ---- IPv4

  private String ipv4(Packet packet) {
    return (style.verbosity > 0 ? ipv4Header(packet) + "\n    " : "") + above(packet);
  }

  private static String ipv4Header(Packet packet) {
    StringBuilder text = new StringBuilder("(");
    text.append("tos 0x").append(Integer.toHexString(packet.tos()));
    switch (packet.tos() & 3) {
      case 1 -> text.append(",ECT(1)");
      case 2 -> text.append(",ECT(0)");
      case 3 -> text.append(",CE");
      default -> {}
    }
    if (packet.ttl() >= 1) {
      text.append(", ttl ").append(packet.ttl());
    }
    text.append(", id ").append(packet.identification());
    text.append(", offset ").append(packet.fragmentOffset()).append(", flags [");
    List<String> flags = new ArrayList<>();
    if (packet.moreFragments()) {
      flags.add("+");
    }
    if (packet.dontFragment()) {
      flags.add("DF");
    }
    text.append(flags.isEmpty() ? "none" : String.join(", ", flags)).append("], proto ");
    text.append(protocolName(packet.protocol())).append(" (").append(packet.protocol());
    text.append("), length ").append(packet.totalLength());
    int sum = Checksums.ones(packet, packet.networkOffset(), packet.headerLength(), 0);
    if (sum != 0) {
      int expected = Checksums.expected(packet.ipChecksum(), sum);
      text.append(
          String.format(Locale.ROOT, ", bad cksum %x (->%x)!", packet.ipChecksum(), expected));
    }
    return text.append(')').toString();
  }

  private static String protocolName(int protocol) {
    return switch (protocol) {
      case 1 -> "ICMP";
      case 2 -> "IGMP";
      case 4 -> "IPIP";
      case 6 -> "TCP";
      case 17 -> "UDP";
      case 47 -> "GRE";
      case 50 -> "ESP";
      case 51 -> "AH";
      case 58 -> "ICMPv6";
      case 132 -> "SCTP";
      default -> "unknown";
    };
  }

  private String above(Packet packet) {
    int length = packet.totalLength() - packet.headerLength();
    String ends = packet.source() + " > " + packet.destination() + ": ";
    if (packet.fragmentOffset() != 0) {
      return ends + "ip-proto-" + packet.protocol();
    }
    return switch (packet.protocol()) {
      case 6 -> packet.hasTcp() ? tcp(packet, length) : ends + "[|tcp]";
      case 17 -> packet.hasUdp() ? udp(packet) : ends + "[|udp]";
      case 1 -> ends + (packet.hasIcmp() ? icmp(packet, length) : "ICMP, [|icmp]");
      case 132 -> packet.hasPorts() ? endsWithPorts(packet) + "sctp" : ends + "[|sctp]";
      default -> ends + " ip-proto-" + packet.protocol() + " " + length;
    };
  }

  private String endsWithPorts(Packet packet) {
    return packet.source()
        + "."
        + port(packet.sourcePort(), packet.protocol())
        + " > "
        + packet.destination()
        + "."
        + port(packet.destinationPort(), packet.protocol())
        + ": ";
  }

  /** The service's name without -n, of those in /etc/services that a cluster uses. */
  private String port(int port, int protocol) {
    String name =
        style.numeric
            ? ""
            : switch (port) {
              case 22 -> protocol == 6 ? "ssh" : "";
              case 53 -> "domain";
              case 80 -> "http";
              case 443 -> "https";
              case 8080 -> "http-alt";
              case 5353 -> protocol == 17 ? "mdns" : "";
              default -> "";
            };
    return name.isEmpty() ? Integer.toString(port) : name;
  }

  // ---- TCP

  private String tcp(Packet packet, int segmentLength) {
    int length = segmentLength - packet.tcpHeaderLength();
    if (style.quiet) {
      return endsWithPorts(packet) + "tcp " + length;
    }
    TcpConversations.Base base =
        style.absoluteSequence ? TcpConversations.Base.ABSOLUTE : conversations.base(packet);
    int flags = packet.tcpFlags();
    StringBuilder text = new StringBuilder(endsWithPorts(packet)).append("Flags [");
    if (flags == 0) {
      text.append("none");
    }
    for (int bit = 0; bit < FLAG_LETTERS.size(); bit++) {
      text.append((flags & 1 << bit) == 0 ? "" : FLAG_LETTERS.get(bit));
    }
    text.append(']');
    if (style.verbosity > 0 && !packet.moreFragments()) {
      text.append(tcpChecksum(packet, segmentLength));
    }
    long sequence = packet.tcpSequence() - base.sequence() & 0xffff_ffffL;
    boolean control = (flags & (Packet.TCP_SYN | Packet.TCP_FIN | Packet.TCP_RST)) != 0;
    if (length > 0 || control) {
      text.append(", seq ").append(sequence);
      if (length > 0) {
        text.append(':').append(sequence + length & 0xffff_ffffL);
      }
    }
    if ((flags & Packet.TCP_ACK) != 0) {
      long ack = packet.tcpAcknowledgement() - base.acknowledgement() & 0xffff_ffffL;
      text.append(", ack ").append(ack);
    }
    text.append(", win ").append(packet.tcpWindow());
    if ((flags & Packet.TCP_URG) != 0) {
      text.append(", urg ").append(packet.tcpUrgent());
    }
    text.append(options(packet, base.sack())).append(", length ").append(length);
    if (length > 0 && isHttp(packet)) {
      text.append(Payload.http(packet, length, style.verbosity > 0));
    }
    return text.toString();
  }

  private static boolean isHttp(Packet packet) {
    return List.of(80, 8080, 3128).contains(packet.sourcePort())
        || List.of(80, 8080, 3128).contains(packet.destinationPort());
  }

  private static String tcpChecksum(Packet packet, int segmentLength) {
    if (packet.transportOffset() + segmentLength > packet.end()) {
      return "";
    }
    int sum = Checksums.transport(packet, segmentLength);
    return sum == 0
        ? String.format(Locale.ROOT, ", cksum 0x%04x (correct)", packet.tcpChecksum())
        : String.format(
            Locale.ROOT,
            ", cksum 0x%04x (incorrect -> 0x%04x)",
            packet.tcpChecksum(),
            Checksums.expected(packet.tcpChecksum(), sum));
  }

  private static String options(Packet packet, long sackBase) {
    int end = Math.min(packet.end(), packet.transportOffset() + packet.tcpHeaderLength());
    List<String> options = new ArrayList<>();
    int at = packet.transportOffset() + 20;
    while (at < end) {
      int kind = packet.u8(at);
      if (kind == 0) {
        options.add("eol");
        break;
      }
      int length = kind == 1 ? 1 : at + 1 < end ? packet.u8(at + 1) : 0;
      if (length < (kind == 1 ? 1 : 2) || at + length > end) {
        options.add("[|tcp]");
        break;
      }
      options.add(option(packet, at, kind, length, sackBase));
      at += length;
    }
    return options.isEmpty() ? "" : ", options [" + String.join(",", options) + "]";
  }

  private static String option(Packet packet, int at, int kind, int length, long sackBase) {
    if (kind == 1) {
      return "nop";
    }
    if (kind == 2 && length == 4) {
      return "mss " + packet.u16(at + 2);
    }
    if (kind == 3 && length == 3) {
      return "wscale " + packet.u8(at + 2);
    }
    if (kind == 4 && length == 2) {
      return "sackOK";
    }
    if (kind == 8 && length == 10) {
      return "TS val " + packet.u32(at + 2) + " ecr " + packet.u32(at + 6);
    }
    if (kind == 5 && (length - 2) % 8 == 0) {
      StringBuilder text = new StringBuilder("sack ").append((length - 2) / 8).append(' ');
      for (int block = at + 2; block < at + length; block += 8) {
        text.append('{').append(packet.u32(block) - sackBase & 0xffff_ffffL).append(':');
        text.append(packet.u32(block + 4) - sackBase & 0xffff_ffffL).append('}');
      }
      return text.toString();
    }
    return "unknown-" + kind;
  }

  // ---- UDP

  private String udp(Packet packet) {
    int length = packet.udpLength() - 8;
    String ends = endsWithPorts(packet);
    if (style.quiet) {
      return ends + "UDP, length " + length;
    }
    String checksum = style.verbosity > 1 && !packet.moreFragments() ? udpChecksum(packet) : "";
    int payload = packet.transportOffset() + 8;
    int end = Math.min(packet.end(), payload + Math.max(0, length));
    boolean vxlan = packet.destinationPort() == 8472 || packet.destinationPort() == 4789;
    if (vxlan && end - payload >= 8 && !packet.moreFragments()) {
      return ends + checksum + vxlan(packet, payload, end, length);
    }
    if (isDns(packet.sourcePort()) || isDns(packet.destinationPort())) {
      return ends + checksum + Payload.dns(packet, payload, end, length);
    }
    return ends + checksum + "UDP, length " + length;
  }

  /** The resolver's port and that of multicast DNS. */
  private static boolean isDns(int port) {
    return port == 53 || port == 5353;
  }

  private static String udpChecksum(Packet packet) {
    if (packet.udpChecksum() == 0) {
      return "[no cksum] ";
    }
    if (packet.transportOffset() + packet.udpLength() > packet.end()) {
      return "";
    }
    int sum = Checksums.transport(packet, packet.udpLength());
    return sum == 0
        ? "[udp sum ok] "
        : String.format(
            Locale.ROOT,
            "[bad udp cksum 0x%04x -> 0x%04x!] ",
            packet.udpChecksum(),
            Checksums.expected(packet.udpChecksum(), sum));
  }

  private String vxlan(Packet packet, int at, int end, int length) {
    int flags = packet.u8(at);
    Packet inner = new Packet(packet.bytes(), at + 8, end);
    return "VXLAN, flags ["
        + ((flags & 8) != 0 ? "I" : ".")
        + "] ("
        + String.format(Locale.ROOT, "0x%02x", flags)
        + "), vni "
        + (packet.u32(at + 4) >>> 8)
        + "\n"
        + frame(inner, length - 8);
  }

  // ---- ICMP

  private String icmp(Packet packet, int length) {
    String text = "ICMP " + icmpType(packet) + ", length " + length;
    boolean quotes = packet.icmpType() == 3 || packet.icmpType() == 11 || packet.icmpType() == 12;
    Packet quoted = quoted(packet);
    return style.verbosity > 0 && quotes && quoted.hasIpv4()
        ? text + "\n\tIP " + ipv4(quoted)
        : text;
  }

  /** The datagram that an ICMP error is about, behind an Ethernet header that is not there. */
  private static Packet quoted(Packet packet) {
    int from = packet.transportOffset() + 8;
    int count = Math.max(0, packet.end() - from);
    byte[] bytes = new byte[14 + count];
    bytes[12] = 8;
    System.arraycopy(packet.bytes(), from, bytes, 14, count);
    return new Packet(bytes);
  }

  private static String icmpType(Packet packet) {
    return switch (packet.icmpType()) {
      case 0 -> "echo reply, id " + packet.icmpId() + ", seq " + packet.icmpSequence();
      case 3 -> unreachable(packet);
      case 4 -> "source quench";
      case 5 -> "redirect";
      case 8 -> "echo request, id " + packet.icmpId() + ", seq " + packet.icmpSequence();
      case 11 ->
          switch (packet.icmpCode()) {
            case 0 -> "time exceeded in-transit";
            case 1 -> "ip reassembly time exceeded";
            default -> "time exceeded-#" + packet.icmpCode();
          };
      case 12 -> "parameter problem - octet " + packet.u8(packet.transportOffset() + 4);
      case 13 -> "time stamp query id " + packet.icmpId() + " seq " + packet.icmpSequence();
      case 14 -> "time stamp reply id " + packet.icmpId() + " seq " + packet.icmpSequence();
      default -> "type-#" + packet.icmpType();
    };
  }

  private static String unreachable(Packet packet) {
    Packet quoted = quoted(packet);
    if (!quoted.hasIpv4()) {
      return "unreachable - #" + packet.icmpCode();
    }
    Ipv4Address destination = quoted.destination();
    return switch (packet.icmpCode()) {
      case 0 -> "net " + destination + " unreachable";
      case 1 -> "host " + destination + " unreachable";
      case 2 -> destination + " protocol " + quoted.protocol() + " unreachable";
      case 3 ->
          destination
              + (quoted.protocol() == 6 ? " tcp" : quoted.protocol() == 17 ? " udp" : "")
              + " port "
              + (quoted.hasPorts() ? quoted.destinationPort() : 0)
              + " unreachable";
      case 4 ->
          destination
              + " unreachable - need to frag"
              + (packet.icmpSequence() == 0 ? "" : " (mtu " + packet.icmpSequence() + ")");
      case 9, 10, 13 -> "host " + destination + " unreachable - admin prohibited" + suffix(packet);
      default -> destination + " unreachable - #" + packet.icmpCode();
    };
  }

  private static String suffix(Packet packet) {
    return packet.icmpCode() == 13 ? " filter" : "";
  }
}
