package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct ipv4_frag_id}, key of {@code cilium_ipv4_frag_datagrams}. 12 bytes: daddr, saddr
 * u32, id u16 (all network order), proto u8, 1 padding.
 */
public record FragmentKey(Ipv4Address daddr, Ipv4Address saddr, int id, int protocol) {

  public static final int SIZE = 12;

  public FragmentKey {
    Layout.requireU16("id", id);
    Layout.requireU8("protocol", protocol);
  }

  public static FragmentKey decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("ipv4_frag_id", SIZE, bytes);
    return new FragmentKey(
        Layout.address(in), Layout.address(in), Layout.networkU16(in), Layout.u8(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putAddress(out, daddr);
    Layout.putAddress(out, saddr);
    Layout.putNetworkU16(out, id);
    out.put((byte) protocol);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code 10.0.0.1 --> 10.0.0.2, 17, 4711}. */
  @Override
  public String toString() {
    return saddr + " --> " + daddr + ", " + protocol + ", " + id;
  }
}
