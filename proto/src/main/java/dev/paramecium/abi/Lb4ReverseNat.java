package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lb4_reverse_nat}, value of {@code cilium_lb4_reverse_nat} (key: u16 rev_nat id,
 * network order). 6 bytes: address u32, port u16 (network order): the frontend that replies come
 * from.
 */
public record Lb4ReverseNat(Ipv4Address address, int port) {

  public static final int SIZE = 6;
  public static final int KEY_SIZE = 2;

  // Where the fields stand, for those who read an entry in place.
  public static final int ADDRESS = 0;
  public static final int PORT = 4;

  public Lb4ReverseNat {
    Layout.requireU16("port", port);
  }

  /** The map's key. */
  public static byte[] encodeKey(int revNatIndex) {
    ByteBuffer out = Layout.writer(KEY_SIZE);
    Layout.putNetworkU16(out, revNatIndex);
    return Layout.bytes(out);
  }

  public static int decodeKey(byte[] bytes) {
    return Layout.networkU16(Layout.reader("rev_nat id", KEY_SIZE, bytes));
  }

  public static Lb4ReverseNat decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lb4_reverse_nat", SIZE, bytes);
    return new Lb4ReverseNat(Layout.address(in), Layout.networkU16(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putAddress(out, address);
    Layout.putNetworkU16(out, port);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code 10.96.0.10:53}. */
  @Override
  public String toString() {
    return address + ":" + port;
  }
}
