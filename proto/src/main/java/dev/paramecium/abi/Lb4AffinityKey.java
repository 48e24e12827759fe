package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lb4_affinity_key}, key of {@code cilium_lb4_affinity}. 16 bytes: client id u64 (an
 * address in network order in the first 4 bytes, or a network namespace's cookie), rev_nat_id u16
 * (network order), bit 0 of a u8: netns_cookie, 5 padding.
 *
 * @param clientId the eight bytes as the machine reads them
 * @param revNatIndex in host order here
 * @param netnsCookie whether {@code clientId} is a cookie
 */
public record Lb4AffinityKey(long clientId, int revNatIndex, boolean netnsCookie) {

  public static final int SIZE = 16;

  public Lb4AffinityKey {
    Layout.requireU16("revNatIndex", revNatIndex);
  }

  /** The key of a client that is known by its address. */
  public static Lb4AffinityKey ofClient(Ipv4Address client, int revNatIndex) {
    return new Lb4AffinityKey(
        Integer.reverseBytes(client.value()) & 0xffff_ffffL, revNatIndex, false);
  }

  public static Lb4AffinityKey decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lb4_affinity_key", SIZE, bytes);
    return new Lb4AffinityKey(in.getLong(), Layout.networkU16(in), (Layout.u8(in) & 1) != 0);
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putLong(clientId);
    Layout.putNetworkU16(out, revNatIndex);
    out.put((byte) (netnsCookie ? 1 : 0));
    return Layout.bytes(out);
  }

  /** As Go prints it: client, whether it is a cookie, rev_nat id. */
  @Override
  public String toString() {
    return Long.toUnsignedString(clientId) + " " + (netnsCookie ? 1 : 0) + " " + revNatIndex;
  }
}
