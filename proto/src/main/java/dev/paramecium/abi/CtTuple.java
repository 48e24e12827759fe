package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct ipv4_ct_tuple}, key of the conntrack and NAT maps. 14 bytes: daddr, saddr u32,
 * dport, sport u16 (all network order), nexthdr u8, flags u8.
 *
 * <p>The addresses are swapped: of a connection from A:a to B:b the entry holds daddr A, saddr B,
 * dport b, sport a.
 */
public record CtTuple(
    Ipv4Address daddr, Ipv4Address saddr, int dport, int sport, int nexthdr, int flags) {

  public static final int SIZE = 14;

  /** The connection was opened from the pod. */
  public static final int OUT = 0;

  /** The connection was opened to the pod. */
  public static final int IN = 1;

  /** An ICMP error about the connection. */
  public static final int RELATED = 2;

  /** A service's choice of backend. */
  public static final int SERVICE = 4;

  public CtTuple {
    Layout.requireU16("dport", dport);
    Layout.requireU16("sport", sport);
    Layout.requireU8("nexthdr", nexthdr);
    Layout.requireU8("flags", flags);
  }

  public static CtTuple decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("ipv4_ct_tuple", SIZE, bytes);
    return new CtTuple(
        Layout.address(in),
        Layout.address(in),
        Layout.networkU16(in),
        Layout.networkU16(in),
        Layout.u8(in),
        Layout.u8(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putAddress(out, daddr);
    Layout.putAddress(out, saddr);
    Layout.putNetworkU16(out, dport);
    Layout.putNetworkU16(out, sport);
    out.put((byte) nexthdr);
    out.put((byte) flags);
    return Layout.bytes(out);
  }

  /**
   * As {@code cilium bpf ct list} prints the key, ends in the order of the connection, with a
   * trailing space: {@code TCP OUT 10.0.0.21:41212 -> 10.0.1.53:80 }.
   */
  public String format() {
    return IpProtocol.name(nexthdr)
        + ((flags & IN) != 0 ? " IN " : " OUT ")
        + daddr
        + ":"
        + sport
        + " -> "
        + saddr
        + ":"
        + dport
        + " "
        + ((flags & RELATED) != 0 ? "related " : "")
        + ((flags & SERVICE) != 0 ? "service " : "");
  }

  /** As Go prints the record itself. */
  @Override
  public String toString() {
    return saddr + ":" + sport + " --> " + daddr + ":" + dport + ", " + nexthdr + ", " + flags;
  }
}
