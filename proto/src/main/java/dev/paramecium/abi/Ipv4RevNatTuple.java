package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct ipv4_revnat_tuple}, key of {@code cilium_lb4_reverse_sk}. 16 bytes: cookie u64,
 * address u32, port u16 (network order), 2 padding: the socket and the backend that it talks to.
 */
public record Ipv4RevNatTuple(long cookie, Ipv4Address address, int port) {

  public static final int SIZE = 16;

  public Ipv4RevNatTuple {
    Layout.requireU16("port", port);
  }

  public static Ipv4RevNatTuple decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("ipv4_revnat_tuple", SIZE, bytes);
    return new Ipv4RevNatTuple(in.getLong(), Layout.address(in), Layout.networkU16(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putLong(cookie);
    Layout.putAddress(out, address);
    Layout.putNetworkU16(out, port);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code [10.0.0.1]:53, 77}. */
  @Override
  public String toString() {
    return "[" + address + "]:" + port + ", " + Long.toUnsignedString(cookie);
  }
}
