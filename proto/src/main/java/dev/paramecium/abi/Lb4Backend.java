package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lb4_backend}, value of {@code cilium_lb4_backends_v2} (key: u32 backend id). 8
 * bytes: address u32, port u16 (network order), proto u8, flags u8.
 *
 * @param flags the state: {@link #ACTIVE} and the others
 */
public record Lb4Backend(Ipv4Address address, int port, int protocol, int flags) {

  public static final int SIZE = 8;
  public static final int KEY_SIZE = 4;

  public static final int ACTIVE = 0;
  public static final int TERMINATING = 1;
  public static final int QUARANTINED = 2;
  public static final int MAINTENANCE = 3;

  // Where the fields stand, for those who read an entry in place.
  public static final int ADDRESS = 0;
  public static final int PORT = 4;
  public static final int PROTOCOL = 6;
  public static final int FLAGS = 7;

  public Lb4Backend {
    Layout.requireU16("port", port);
    Layout.requireU8("protocol", protocol);
    Layout.requireU8("flags", flags);
  }

  /** The map's key. */
  public static byte[] encodeKey(int backendId) {
    return Layout.bytes(Layout.writer(KEY_SIZE).putInt(backendId));
  }

  public static int decodeKey(byte[] bytes) {
    return Layout.reader("backend id", KEY_SIZE, bytes).getInt();
  }

  public static Lb4Backend decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lb4_backend", SIZE, bytes);
    return new Lb4Backend(Layout.address(in), Layout.networkU16(in), Layout.u8(in), Layout.u8(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putAddress(out, address);
    Layout.putNetworkU16(out, port);
    out.put((byte) protocol).put((byte) flags);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code ANY://10.0.0.112:53}. */
  @Override
  public String toString() {
    return IpProtocol.name(protocol) + "://" + address + ":" + port;
  }
}
