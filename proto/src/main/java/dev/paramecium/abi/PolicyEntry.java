package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct policy_entry}, value of {@code cilium_policy_NNNNN}. 24 bytes: proxy_port u16
 * (network order), flags u8, 5 padding, packets u64, bytes u64.
 *
 * @param proxyPort where matching connections are redirected to, 0 for a plain allow
 * @param deny whether a match is a drop
 */
public record PolicyEntry(int proxyPort, boolean deny, long packets, long bytes) {

  public static final int SIZE = 24;

  /** Bit of flags: a match is a drop. */
  public static final int FLAG_DENY = 1;

  // Where the fields stand, for those who read an entry in place.
  public static final int PROXY_PORT = 0;
  public static final int FLAGS = 2;
  public static final int PACKETS = 8;
  public static final int BYTES = 16;

  public static final PolicyEntry ALLOW = new PolicyEntry(0, false, 0, 0);
  public static final PolicyEntry DENY = new PolicyEntry(0, true, 0, 0);

  public PolicyEntry {
    Layout.requireU16("proxyPort", proxyPort);
  }

  public static PolicyEntry decode(byte[] encoded) {
    ByteBuffer in = Layout.reader("policy_entry", SIZE, encoded);
    return new PolicyEntry(
        Layout.networkU16(in),
        (Layout.u8(in) & FLAG_DENY) != 0,
        in.getLong(PACKETS),
        in.getLong(BYTES));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putNetworkU16(out, proxyPort);
    out.put((byte) (deny ? FLAG_DENY : 0));
    out.putLong(PACKETS, packets);
    out.putLong(BYTES, bytes);
    return Layout.bytes(out);
  }

  /** As Go prints it: proxy port, packets, bytes. */
  @Override
  public String toString() {
    return proxyPort + " " + Long.toUnsignedString(packets) + " " + Long.toUnsignedString(bytes);
  }
}
