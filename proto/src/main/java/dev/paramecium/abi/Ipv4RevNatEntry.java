package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct ipv4_revnat_entry}, value of {@code cilium_lb4_reverse_sk}. 8 bytes: address u32,
 * port u16, rev_nat_index u16 (all network order): the service that the socket asked for.
 */
public record Ipv4RevNatEntry(Ipv4Address address, int port, int revNatIndex) {

  public static final int SIZE = 8;

  // Where the fields stand, for those who read an entry in place.
  public static final int ADDRESS = 0;
  public static final int PORT = 4;
  public static final int REV_NAT_INDEX = 6;

  public Ipv4RevNatEntry {
    Layout.requireU16("port", port);
    Layout.requireU16("revNatIndex", revNatIndex);
  }

  public static Ipv4RevNatEntry decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("ipv4_revnat_entry", SIZE, bytes);
    return new Ipv4RevNatEntry(Layout.address(in), Layout.networkU16(in), Layout.networkU16(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putAddress(out, address);
    Layout.putNetworkU16(out, port);
    Layout.putNetworkU16(out, revNatIndex);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code [10.96.0.10]:53, 3}. */
  @Override
  public String toString() {
    return "[" + address + "]:" + port + ", " + revNatIndex;
  }
}
