package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lb4_service}, value of {@code cilium_lb4_services_v2}. 12 bytes: union u32, count
 * u16, rev_nat_index u16 (network order), flags u8, flags2 u8, 2 padding.
 *
 * @param backendId of a backend slot the backend; of slot 0 the affinity timeout in seconds, or the
 *     L7 proxy's port
 * @param count how many backend slots follow; slot 0 only
 * @param revNatIndex in host order here
 */
public record Lb4Service(int backendId, int count, int revNatIndex, int flags, int flags2) {

  public static final int SIZE = 12;

  public static final int FLAG_EXTERNAL_IP = 1;
  public static final int FLAG_NODE_PORT = 2;
  public static final int FLAG_LOCAL_SCOPE = 4;
  public static final int FLAG_HOST_PORT = 8;
  public static final int FLAG_AFFINITY = 16;
  public static final int FLAG_LOAD_BALANCER = 32;
  public static final int FLAG_ROUTABLE = 64;
  public static final int FLAG_SOURCE_RANGE = 128;

  public static final int FLAG2_LOCAL_REDIRECT = 1;
  public static final int FLAG2_NAT46X64 = 2;
  public static final int FLAG2_L7_LOAD_BALANCER = 4;

  // Where the fields stand, for those who read an entry in place.
  public static final int BACKEND_ID = 0;
  public static final int COUNT = 4;
  public static final int REV_NAT_INDEX = 6;
  public static final int FLAGS = 8;
  public static final int FLAGS2 = 9;

  public Lb4Service {
    Layout.requireU16("count", count);
    Layout.requireU16("revNatIndex", revNatIndex);
    Layout.requireU8("flags", flags);
    Layout.requireU8("flags2", flags2);
  }

  public static Lb4Service decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lb4_service", SIZE, bytes);
    return new Lb4Service(
        in.getInt(), Layout.u16(in), Layout.networkU16(in), Layout.u8(in), Layout.u8(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putInt(backendId).putShort((short) count);
    Layout.putNetworkU16(out, revNatIndex);
    out.put((byte) flags).put((byte) flags2);
    return Layout.bytes(out);
  }

  /** As {@code cilium bpf lb list --frontends} prints it: {@code 0 2 (3) [0x0 0x0]}. */
  @Override
  public String toString() {
    return Integer.toUnsignedString(backendId)
        + " "
        + count
        + " ("
        + revNatIndex
        + ") [0x"
        + Layout.hex(flags, 1)
        + " 0x"
        + Layout.hex(flags2, 1)
        + "]";
  }
}
