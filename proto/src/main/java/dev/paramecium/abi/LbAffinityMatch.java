package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lb_affinity_match}, key of {@code cilium_lb_affinity_match} (value: u8, unused):
 * the backend may still serve the service. 8 bytes: backend_id u32, rev_nat_id u16 (network order),
 * 2 padding.
 */
public record LbAffinityMatch(int backendId, int revNatIndex) {

  public static final int SIZE = 8;

  public LbAffinityMatch {
    Layout.requireU16("revNatIndex", revNatIndex);
  }

  public static LbAffinityMatch decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lb_affinity_match", SIZE, bytes);
    return new LbAffinityMatch(in.getInt(), Layout.networkU16(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putInt(backendId);
    Layout.putNetworkU16(out, revNatIndex);
    return Layout.bytes(out);
  }

  /** As Go prints it: backend, rev_nat id. */
  @Override
  public String toString() {
    return Integer.toUnsignedString(backendId) + " " + revNatIndex;
  }
}
