package dev.paramecium.datapath.trace;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.syscall.Observation.PacketSummary;
import dev.paramecium.syscall.TraceFilter;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * What a trace recognises an IPv4 packet by: what it carries from end to end. TTL, MACs and
 * checksums change on the way and do not count.
 *
 * @param offset where the packet's Ethernet header stands in the frame: behind the outer headers of
 *     an encapsulated one
 * @param vni of the VXLAN header around it, -1 if there is none
 * @param sourcePort 0 where there are no ports
 * @param icmp what an ICMP message says, null of others
 * @param flags TCP's, 0 for others
 * @param payload offset of the first byte above the transport header
 * @param end offset behind the packet's last byte
 * @param identity of what no translation changes; see {@link #identityOf}
 */
public record PacketDigest(
    int offset,
    int vni,
    int source,
    int destination,
    int protocol,
    int sourcePort,
    int destinationPort,
    @Nullable IcmpDigest icmp,
    int flags,
    int ttl,
    int payload,
    int end,
    long identity) {

  private static final long NO_PACKET = 0;
  static final int ETHERNET = 14;
  private static final int IPV4 = 20;
  private static final int UDP = 8;
  private static final int VXLAN = 8;
  private static final int ICMP_PROTOCOL = 1;
  private static final int TCP_PROTOCOL = 6;
  private static final int UDP_PROTOCOL = 17;
  private static final int VXLAN_PORT = 8472;

  /** The packet in a frame, the inner one if it is VXLAN; null if it is no whole IPv4 packet. */
  static @Nullable PacketDigest of(SkBuff frame) {
    PacketDigest plain = at(frame, 0, -1);
    if (plain == null
        || plain.protocol != UDP_PROTOCOL
        || plain.destinationPort != VXLAN_PORT
        || plain.end - plain.payload < VXLAN) {
      return plain;
    }
    PacketDigest inner = at(frame, plain.payload + VXLAN, frame.i32(plain.payload + 4) >>> 8);
    return inner == null ? plain : inner;
  }

  /** The packet whose Ethernet header stands at {@code offset}. */
  static @Nullable PacketDigest at(SkBuff frame, int offset, int vni) {
    int ip = offset + ETHERNET;
    if (frame.length < ip + IPV4 || frame.u16(offset + 12) != 0x0800 || frame.u8(ip) >>> 4 != 4) {
      return null;
    }
    int headerLength = (frame.u8(ip) & 15) * 4;
    int end = ip + frame.u16(ip + 2);
    int l4 = ip + headerLength;
    if (headerLength < IPV4 || end < l4 || end > frame.length) {
      return null;
    }
    int protocol = frame.u8(ip + 9);
    int fragmentOffset = frame.u16(ip + 6) & 0x1fff;
    int sourcePort = 0;
    int destinationPort = 0;
    IcmpDigest icmp = null;
    int flags = 0;
    int payload = l4;
    long entropy = 0;
    if (fragmentOffset == 0) {
      if (protocol == TCP_PROTOCOL && end - l4 >= 20) {
        sourcePort = frame.u16(l4);
        destinationPort = frame.u16(l4 + 2);
        entropy = frame.i64(l4 + 4);
        flags = frame.u8(l4 + 13);
        payload = Math.min(end, l4 + (frame.u8(l4 + 12) >>> 4) * 4);
      } else if (protocol == UDP_PROTOCOL && end - l4 >= UDP) {
        sourcePort = frame.u16(l4);
        destinationPort = frame.u16(l4 + 2);
        payload = l4 + UDP;
      } else if (protocol == ICMP_PROTOCOL && end - l4 >= 8) {
        icmp = IcmpDigest.at(frame, l4, end);
        entropy = (long) frame.u16(l4) << 32 | frame.i32(l4 + 4) & 0xffff_ffffL;
        payload = l4 + 8;
      }
    }
    long identity = 0x9e3779b97f4a7c15L;
    identity = mix(identity, protocol);
    identity = mix(identity, (long) frame.u16(ip + 4) << 16 | fragmentOffset);
    identity = mix(identity, entropy);
    identity = mix(identity, flags);
    for (int at = payload; at < end; at++) {
      identity = (identity ^ frame.u8(at)) * 0x100000001b3L;
    }
    return new PacketDigest(
        offset,
        vni,
        frame.i32(ip + 12),
        frame.i32(ip + 16),
        protocol,
        sourcePort,
        destinationPort,
        icmp,
        flags,
        frame.u8(ip + 8),
        payload,
        end,
        mix(identity, end - payload));
  }

  /** What two sockets say to each other, before or instead of a packet; it has no identity. */
  static PacketDigest ofSockets(
      int protocol, int source, int sourcePort, int destination, int destinationPort, int length) {
    return new PacketDigest(
        0,
        -1,
        source,
        destination,
        protocol,
        sourcePort,
        destinationPort,
        null,
        0,
        0,
        0,
        length,
        NO_PACKET);
  }

  private static long mix(long state, long value) {
    long z = (state ^ value) * 0xbf58476d1ce4e5b9L;
    return z ^ (z >>> 29);
  }

  /**
   * A number for the packet that is the same on every node, before and after a service's address
   * became a backend's: the requester's end of the flow stays as it is. 0 for what is no packet.
   */
  long identityOf(boolean request) {
    long requester =
        request ? (long) source << 16 | sourcePort : (long) destination << 16 | destinationPort;
    return identity == NO_PACKET ? NO_PACKET : mix(identity, requester);
  }

  /** Whether the packet goes the filter's way. */
  boolean isRequestOf(TraceFilter filter) {
    return protocol == filter.protocol()
        && source == filter.source().value()
        && destination == filter.destination().value()
        && (filter.sourcePort() == 0 || sourcePort == filter.sourcePort())
        && (filter.destinationPort() == 0 || destinationPort == filter.destinationPort());
  }

  /** Whether the packet answers one that goes the filter's way, or is an ICMP error about it. */
  boolean isReplyOf(TraceFilter filter) {
    if (icmp != null && icmp.isAbout(filter)) {
      return true;
    }
    if (source != filter.destination().value() || destination != filter.source().value()) {
      return false;
    }
    return protocol == filter.protocol()
        && (filter.sourcePort() == 0 || destinationPort == filter.sourcePort())
        && (filter.destinationPort() == 0 || sourcePort == filter.destinationPort());
  }

  PacketSummary summary(SkBuff frame) {
    return summary(
        new MacAddress(frame.mac(offset + 6)).toString(),
        new MacAddress(frame.mac(offset)).toString(),
        frame.length - offset);
  }

  /** What has no Ethernet header has no MACs. */
  PacketSummary summary(String sourceMac, String destinationMac, int length) {
    return new PacketSummary(
        sourceMac,
        destinationMac,
        Ipv4Address.format(source),
        Ipv4Address.format(destination),
        sourcePort,
        destinationPort,
        switch (protocol) {
          case ICMP_PROTOCOL -> "ICMP";
          case TCP_PROTOCOL -> "TCP";
          case UDP_PROTOCOL -> "UDP";
          default -> Integer.toString(protocol);
        },
        flagNames(),
        icmp == null ? "" : icmp.text(),
        ttl,
        length,
        end - payload);
  }

  private String flagNames() {
    StringJoiner names = new StringJoiner(", ");
    if ((flags & 0x02) != 0) {
      names.add("SYN");
    }
    if ((flags & 0x08) != 0) {
      names.add("PSH");
    }
    if ((flags & 0x10) != 0) {
      names.add("ACK");
    }
    if ((flags & 0x04) != 0) {
      names.add("RST");
    }
    if ((flags & 0x01) != 0) {
      names.add("FIN");
    }
    return names.toString();
  }
}
