package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Udp;

/**
 * The headers around a VXLAN packet on the underlay: Ethernet, IPv4, UDP.
 *
 * <pre>
 *   0          14     34    42
 *   | Ethernet | IPv4 | UDP | VXLAN | inner frame
 * </pre>
 *
 * A node's MAC on the underlay is made of its address, 02:42:A:B:C:D, so that whoever knows where a
 * packet goes knows what to address it to, and the underlay knows a frame's node by its
 * destination.
 */
public final class OuterHeaders {

  /** Bytes before the VXLAN header. */
  public static final int LENGTH =
      Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH + Udp.HEADER_LENGTH;

  private static final long MAC_PREFIX = 0x0242L << 32;

  private OuterHeaders() {}

  /** A node's MAC on the underlay. */
  public static MacAddress macOf(Ipv4Address node) {
    return new MacAddress(macOf(node.value()));
  }

  /** The same as numbers. */
  public static long macOf(int node) {
    return MAC_PREFIX | (node & 0xffff_ffffL);
  }

  /** Whether a MAC is a node's on the underlay. */
  public static boolean isNode(long mac) {
    return mac >>> 32 == MAC_PREFIX >>> 32;
  }

  /** The node that a MAC on the underlay belongs to. */
  public static int nodeOf(long mac) {
    return (int) mac;
  }

  /**
   * Puts the headers in front of a UDP payload.
   *
   * @param identification of the IPv4 header
   */
  public static void push(
      SkBuff packet,
      int source,
      int destination,
      int ttl,
      int identification,
      int sourcePort,
      int destinationPort) {
    int payload = packet.length;
    packet.push(LENGTH);
    packet.setMac(Ethernet.DESTINATION, macOf(destination));
    packet.setMac(Ethernet.SOURCE, macOf(source));
    packet.setU16(Ethernet.ETHER_TYPE, EtherType.IPV4);
    int ip = Ethernet.HEADER_LENGTH;
    packet.setU16(ip + Ipv4.VERSION_LENGTH, 0x4500);
    packet.setU16(ip + Ipv4.TOTAL_LENGTH, Ipv4.MIN_HEADER_LENGTH + Udp.HEADER_LENGTH + payload);
    packet.setU16(ip + Ipv4.IDENTIFICATION, identification);
    packet.setU16(ip + Ipv4.FRAGMENT, 0);
    packet.setU8(ip + Ipv4.TTL, ttl);
    packet.setU8(ip + Ipv4.PROTOCOL, IpProtocol.UDP);
    packet.setU16(ip + Ipv4.CHECKSUM, 0);
    packet.setI32(ip + Ipv4.SOURCE, source);
    packet.setI32(ip + Ipv4.DESTINATION, destination);
    packet.setU16(
        ip + Ipv4.CHECKSUM,
        Checksum.finish(Checksum.sum(packet.bytes, packet.head + ip, Ipv4.MIN_HEADER_LENGTH)));
    int udp = ip + Ipv4.MIN_HEADER_LENGTH;
    packet.setU16(udp + Udp.SOURCE_PORT, sourcePort);
    packet.setU16(udp + Udp.DESTINATION_PORT, destinationPort);
    packet.setU16(udp + Udp.LENGTH, Udp.HEADER_LENGTH + payload);
    packet.setU16(udp + Udp.CHECKSUM, 0); // zero UDP checksum, RFC 7348 section 4.1
  }

  /** Whether a frame is UDP to a port, whole and without IP options: what the tunnel sends. */
  public static boolean isUdpTo(SkBuff frame, int port) {
    int ip = Ethernet.HEADER_LENGTH;
    return frame.length >= LENGTH
        && frame.u16(Ethernet.ETHER_TYPE) == EtherType.IPV4
        && frame.u8(ip) == 0x45
        && frame.u8(ip + Ipv4.PROTOCOL) == IpProtocol.UDP
        && (frame.u16(ip + Ipv4.FRAGMENT) & (Ipv4.MORE_FRAGMENTS | Ipv4.FRAGMENT_OFFSET_MASK)) == 0
        && frame.u16(ip + Ipv4.MIN_HEADER_LENGTH + Udp.DESTINATION_PORT) == port;
  }

  /** The UDP source port of a frame that {@link #isUdpTo} holds for. */
  public static int sourcePort(SkBuff frame) {
    return frame.u16(Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH + Udp.SOURCE_PORT);
  }

  /** How many bytes of UDP payload a frame that {@link #isUdpTo} holds for says it has. */
  public static int payloadLength(SkBuff frame) {
    return frame.u16(Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH + Udp.LENGTH)
        - Udp.HEADER_LENGTH;
  }
}
