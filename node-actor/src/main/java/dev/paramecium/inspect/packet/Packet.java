package dev.paramecium.inspect.packet;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MacAddress;

/**
 * A frame, or what was captured of it. Each {@code has…} says whether that header is there whole;
 * its accessors are only for then.
 *
 * <pre>
 *   start        l3           l4             payload      end (of what was captured)
 *   | Ethernet   | IPv4, ARP  | TCP, UDP, …  | …          |
 * </pre>
 */
public final class Packet {

  public static final int ETHERTYPE_IPV4 = 0x0800;
  public static final int ETHERTYPE_ARP = 0x0806;
  public static final int ETHERTYPE_VLAN = 0x8100;
  public static final int ETHERTYPE_IPV6 = 0x86dd;

  public static final int TCP_FIN = 1;
  public static final int TCP_SYN = 2;
  public static final int TCP_RST = 4;
  public static final int TCP_PSH = 8;
  public static final int TCP_ACK = 16;
  public static final int TCP_URG = 32;
  public static final int TCP_ECE = 64;
  public static final int TCP_CWR = 128;

  private final byte[] bytes;
  private final int start;
  private final int end;
  private final int etherType;
  private final int vlan;
  private final int l3;
  private final int l4;
  private final boolean ipv4;
  private final boolean arp;

  /** Takes all of {@code bytes} apart. */
  public Packet(byte[] bytes) {
    this(bytes, 0, bytes.length);
  }

  /** Takes the frame in {@code bytes} from {@code start} to {@code end} apart. */
  public Packet(byte[] bytes, int start, int end) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    int type = end - start >= 14 ? u16At(start + 12) : -1;
    int at = start + 14;
    int tag = -1;
    if (type == ETHERTYPE_VLAN && end - at >= 4) {
      tag = u16At(at) & 0xfff;
      type = u16At(at + 2);
      at += 4;
    }
    this.etherType = type;
    this.vlan = tag;
    this.l3 = at;
    boolean isIpv4 = type == ETHERTYPE_IPV4 && end - at >= 20 && bytes[at] >> 4 == 4;
    int headerLength = isIpv4 ? (bytes[at] & 15) * 4 : 0;
    this.ipv4 = isIpv4 && headerLength >= 20 && end - at >= headerLength;
    this.l4 = at + headerLength;
    this.arp = type == ETHERTYPE_ARP && end - at >= 28;
  }

  private int u16At(int at) {
    return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
  }

  private int i32At(int at) {
    return u16At(at) << 16 | u16At(at + 2);
  }

  private MacAddress macAt(int at) {
    return new MacAddress((long) u16At(at) << 32 | i32At(at + 2) & 0xffff_ffffL);
  }

  /** The captured bytes, all of them. */
  public byte[] bytes() {
    return bytes;
  }

  public int start() {
    return start;
  }

  public int end() {
    return end;
  }

  // ---- Ethernet

  public boolean hasEthernet() {
    return etherType >= 0;
  }

  public MacAddress destinationMac() {
    return macAt(start);
  }

  public MacAddress sourceMac() {
    return macAt(start + 6);
  }

  /** The innermost: of a VLAN frame the tagged one's. */
  public int etherType() {
    return etherType;
  }

  /** The VLAN's number, -1 without a tag. */
  public int vlan() {
    return vlan;
  }

  // ---- ARP

  /** An ARP packet for IPv4 over Ethernet. */
  public boolean hasArp() {
    return arp;
  }

  public int arpOperation() {
    return u16At(l3 + 6);
  }

  public MacAddress arpSenderMac() {
    return macAt(l3 + 8);
  }

  public Ipv4Address arpSender() {
    return new Ipv4Address(i32At(l3 + 14));
  }

  public MacAddress arpTargetMac() {
    return macAt(l3 + 18);
  }

  public Ipv4Address arpTarget() {
    return new Ipv4Address(i32At(l3 + 24));
  }

  // ---- IPv4

  public boolean hasIpv4() {
    return ipv4;
  }

  /** Where the network header starts in {@link #bytes}. */
  public int networkOffset() {
    return l3;
  }

  public int headerLength() {
    return l4 - l3;
  }

  public int tos() {
    return bytes[l3 + 1] & 0xff;
  }

  /** The datagram's length as its header says. */
  public int totalLength() {
    return u16At(l3 + 2);
  }

  public int identification() {
    return u16At(l3 + 4);
  }

  public boolean dontFragment() {
    return (bytes[l3 + 6] & 0x40) != 0;
  }

  public boolean moreFragments() {
    return (bytes[l3 + 6] & 0x20) != 0;
  }

  /** In bytes. */
  public int fragmentOffset() {
    return (u16At(l3 + 6) & 0x1fff) * 8;
  }

  public int ttl() {
    return bytes[l3 + 8] & 0xff;
  }

  public int protocol() {
    return bytes[l3 + 9] & 0xff;
  }

  public int ipChecksum() {
    return u16At(l3 + 10);
  }

  public Ipv4Address source() {
    return new Ipv4Address(i32At(l3 + 12));
  }

  public Ipv4Address destination() {
    return new Ipv4Address(i32At(l3 + 16));
  }

  // ---- above IPv4

  /** Where the transport header starts in {@link #bytes}. */
  public int transportOffset() {
    return l4;
  }

  private boolean hasTransport(int protocol, int length) {
    return ipv4 && protocol() == protocol && fragmentOffset() == 0 && end - l4 >= length;
  }

  public boolean hasTcp() {
    return hasTransport(6, 20) && tcpHeaderLength() >= 20;
  }

  public boolean hasUdp() {
    return hasTransport(17, 8);
  }

  public boolean hasIcmp() {
    return hasTransport(1, 8);
  }

  /** Whether the first four bytes of a TCP, UDP or SCTP header, the ports, are there. */
  public boolean hasPorts() {
    return hasTransport(6, 4) || hasTransport(17, 4) || hasTransport(132, 4);
  }

  public int sourcePort() {
    return u16At(l4);
  }

  public int destinationPort() {
    return u16At(l4 + 2);
  }

  public long tcpSequence() {
    return i32At(l4 + 4) & 0xffff_ffffL;
  }

  public long tcpAcknowledgement() {
    return i32At(l4 + 8) & 0xffff_ffffL;
  }

  public int tcpHeaderLength() {
    return (bytes[l4 + 12] >> 4 & 15) * 4;
  }

  public int tcpFlags() {
    return bytes[l4 + 13] & 0xff;
  }

  public int tcpWindow() {
    return u16At(l4 + 14);
  }

  public int tcpChecksum() {
    return u16At(l4 + 16);
  }

  public int tcpUrgent() {
    return u16At(l4 + 18);
  }

  public int udpLength() {
    return u16At(l4 + 4);
  }

  public int udpChecksum() {
    return u16At(l4 + 6);
  }

  public int icmpType() {
    return bytes[l4] & 0xff;
  }

  public int icmpCode() {
    return bytes[l4 + 1] & 0xff;
  }

  public int icmpChecksum() {
    return u16At(l4 + 2);
  }

  /** The identifier of an echo. */
  public int icmpId() {
    return u16At(l4 + 4);
  }

  /** The sequence number of an echo, or the next hop's MTU. */
  public int icmpSequence() {
    return u16At(l4 + 6);
  }

  /** One byte at an index of {@link #bytes}. */
  public int u8(int at) {
    return bytes[at] & 0xff;
  }

  /** Two bytes at an index of {@link #bytes}. */
  public int u16(int at) {
    return u16At(at);
  }

  /** Four bytes at an index of {@link #bytes}. */
  public long u32(int at) {
    return i32At(at) & 0xffff_ffffL;
  }
}
