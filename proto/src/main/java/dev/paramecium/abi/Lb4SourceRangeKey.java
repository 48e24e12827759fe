package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lb4_src_range_key}, the LPM key of {@code cilium_lb4_source_range} (value: u8,
 * unused). 12 bytes: prefixlen u32, rev_nat_id u16 (network order), 2 padding, address u32. The
 * prefix counts the {@value #STATIC_PREFIX_BITS} bits before the address too.
 *
 * @param prefix who may use the service
 */
public record Lb4SourceRangeKey(int revNatIndex, Ipv4Prefix prefix) {

  public static final int SIZE = 12;

  /** Bits of rev_nat_id and padding, compared exactly. */
  public static final int STATIC_PREFIX_BITS = 32;

  public Lb4SourceRangeKey {
    Layout.requireU16("revNatIndex", revNatIndex);
  }

  public static Lb4SourceRangeKey decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lb4_src_range_key", SIZE, bytes);
    int length = in.getInt() - STATIC_PREFIX_BITS;
    int revNatIndex = Layout.networkU16(in);
    Layout.skip(in, 2);
    return new Lb4SourceRangeKey(revNatIndex, new Ipv4Prefix(Layout.address(in), length));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putInt(STATIC_PREFIX_BITS + prefix.length());
    Layout.putNetworkU16(out, revNatIndex);
    Layout.skip(out, 2);
    Layout.putAddress(out, prefix.address());
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code 192.0.2.0/24 (3)}. */
  @Override
  public String toString() {
    return prefix + " (" + revNatIndex + ")";
  }
}
