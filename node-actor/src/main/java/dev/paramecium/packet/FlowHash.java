package dev.paramecium.packet;

import dev.paramecium.abi.IpProtocol;

/**
 * The hash of a packet's flow ({@code skb_get_hash}) and the outer source port that a tunnel makes
 * of it ({@code udp_flow_src_port}, RFC 7348 section 4.1), so that the network between nodes
 * spreads flows and keeps each in order.
 */
public final class FlowHash {

  /** Linux's {@code ip_local_port_range}, which VXLAN's source ports come from. */
  public static final int MIN_SOURCE_PORT = 32768;

  public static final int MAX_SOURCE_PORT = 60999;

  private FlowHash() {}

  /**
   * Never 0, and the same in both directions. Of a fragment the ports do not count, because only
   * the first has them; of what is not IPv4 only the Ethernet header does.
   *
   * @param at index of the Ethernet header
   */
  public static int of(byte[] bytes, int at, int length) {
    if (length < Ethernet.HEADER_LENGTH) {
      return 1;
    }
    int ip = at + Ethernet.HEADER_LENGTH;
    int ipLength = length - Ethernet.HEADER_LENGTH;
    int header = ipLength < Ipv4.MIN_HEADER_LENGTH ? 0 : (Wire.u8(bytes, ip) & 15) << 2;
    if (Wire.u16(bytes, at + Ethernet.ETHER_TYPE) != EtherType.IPV4
        || header < Ipv4.MIN_HEADER_LENGTH) {
      long one = Wire.mac(bytes, at + Ethernet.DESTINATION);
      long other = Wire.mac(bytes, at + Ethernet.SOURCE);
      return mix(Math.min(one, other), Math.max(one, other));
    }
    int protocol = Wire.u8(bytes, ip + Ipv4.PROTOCOL);
    int fragment = Wire.u16(bytes, ip + Ipv4.FRAGMENT);
    boolean hasPorts =
        (protocol == IpProtocol.TCP || protocol == IpProtocol.UDP || protocol == IpProtocol.SCTP)
            && (fragment & (Ipv4.MORE_FRAGMENTS | Ipv4.FRAGMENT_OFFSET_MASK)) == 0
            && header + 4 <= ipLength;
    int ports = hasPorts ? Wire.i32(bytes, ip + header) : 0;
    return of(
        Wire.i32(bytes, ip + Ipv4.SOURCE),
        Wire.i32(bytes, ip + Ipv4.DESTINATION),
        protocol,
        ports >>> 16,
        ports & 0xffff);
  }

  /** The hash of an IPv4 flow; ports are 0 where there are none. */
  public static int of(
      int source, int destination, int protocol, int sourcePort, int destinationPort) {
    // Both directions look alike with the smaller end first.
    long one = (source & 0xffff_ffffL) << 16 | sourcePort;
    long other = (destination & 0xffff_ffffL) << 16 | destinationPort;
    return mix(Math.min(one, other) ^ (long) protocol << 48, Math.max(one, other));
  }

  /** 32 well-mixed bits of two words, never 0. */
  private static int mix(long one, long other) {
    long h = (one ^ 0x9e3779b97f4a7c15L) * 0xbf58476d1ce4e5b9L;
    h = (h ^ h >>> 32 ^ other) * 0x94d049bb133111ebL;
    h = (h ^ h >>> 29) * 0xd6e8feb86659fd93L;
    int hash = (int) (h >>> 32);
    return hash == 0 ? 1 : hash;
  }

  /** {@value #MIN_SOURCE_PORT} to {@value #MAX_SOURCE_PORT}, spread evenly over all hashes. */
  public static int sourcePort(int hash) {
    long spread = (hash ^ hash << 16) & 0xffff_ffffL;
    return (int) ((spread * (MAX_SOURCE_PORT - MIN_SOURCE_PORT + 1)) >>> 32) + MIN_SOURCE_PORT;
  }
}
