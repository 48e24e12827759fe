package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct endpoint_info}, value of {@code cilium_lxc}. 48 bytes: ifindex u32, unused u16,
 * lxc_id u16, flags u32, 4 padding, mac u64, node_mac u64, 16 padding. A MAC stands in its u64 with
 * its first byte at the lowest address.
 *
 * @param ifindex the lxc device's index on the node
 * @param lxcId the endpoint's id
 * @param flags {@link #FLAG_HOST} or 0
 * @param mac eth0's address in the pod
 * @param nodeMac the lxc device's address on the node
 */
public record EndpointInfo(int ifindex, int lxcId, int flags, MacAddress mac, MacAddress nodeMac) {

  public static final int SIZE = 48;

  /** The address is the node's own. */
  public static final int FLAG_HOST = 1;

  // Where the fields stand, for those who read an entry in place.
  public static final int IFINDEX = 0;
  public static final int LXC_ID = 6;
  public static final int FLAGS = 8;
  public static final int MAC = 16;
  public static final int NODE_MAC = 24;

  /** The entry of an address of the node itself. */
  public static final EndpointInfo HOST =
      new EndpointInfo(0, 0, FLAG_HOST, MacAddress.ZERO, MacAddress.ZERO);

  public EndpointInfo {
    Layout.requireU16("lxcId", lxcId);
  }

  public boolean isHost() {
    return (flags & FLAG_HOST) != 0;
  }

  public static EndpointInfo decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("endpoint_info", SIZE, bytes);
    return new EndpointInfo(
        in.getInt(IFINDEX),
        in.getShort(LXC_ID) & 0xffff,
        in.getInt(FLAGS),
        macFromU64(in.getLong(MAC)),
        macFromU64(in.getLong(NODE_MAC)));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putInt(IFINDEX, ifindex);
    out.putShort(LXC_ID, (short) lxcId);
    out.putInt(FLAGS, flags);
    out.putLong(MAC, macToU64(mac));
    out.putLong(NODE_MAC, macToU64(nodeMac));
    return Layout.bytes(out);
  }

  /** The u64 that holds an address in an entry, as the machine reads it. */
  public static long macToU64(MacAddress mac) {
    return Long.reverseBytes(mac.value()) >>> 16;
  }

  /** The inverse of {@link #macToU64}; the upper two bytes do not count. */
  public static MacAddress macFromU64(long value) {
    return new MacAddress(Long.reverseBytes(value) >>> 16);
  }

  /**
   * As Go prints it: {@code id=1173 flags=0x0000 ifindex=12 mac=3E:AA:… nodemac=12:34:…}, the
   * numbers padded to 5 and 3 columns, or {@code (localhost)}.
   */
  @Override
  public String toString() {
    if (isHost()) {
      return "(localhost)";
    }
    return String.format(
        "id=%-5d flags=0x%04X ifindex=%-3d mac=%s nodemac=%s",
        lxcId, flags, ifindex, mac.toUpperCase(), nodeMac.toUpperCase());
  }
}
