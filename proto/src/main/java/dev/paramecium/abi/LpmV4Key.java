package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lpm_v4_key}, the key of {@code cilium_cidr_v4_dyn} and {@code cilium_cidr_v4_fix}
 * (value: {@code struct lpm_val}, one byte of flags that nobody sets). 8 bytes: prefixlen u32, 4
 * bytes of address.
 */
public record LpmV4Key(Ipv4Prefix prefix) {

  public static final int SIZE = 8;

  /** Of {@code struct lpm_val}. */
  public static final int VALUE_SIZE = 1;

  public static LpmV4Key decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lpm_v4_key", SIZE, bytes);
    int length = in.getInt();
    return new LpmV4Key(new Ipv4Prefix(Layout.address(in), length));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putInt(prefix.length());
    Layout.putAddress(out, prefix.address());
    return Layout.bytes(out);
  }

  @Override
  public String toString() {
    return prefix.toString();
  }
}
