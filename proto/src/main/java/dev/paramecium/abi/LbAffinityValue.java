package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct lb_affinity_val}, value of {@code cilium_lb4_affinity}. 16 bytes: last_used u64,
 * backend_id u32, 4 padding.
 *
 * @param lastUsed when the client was last sent to the backend, in the datapath's time unit
 */
public record LbAffinityValue(long lastUsed, int backendId) {

  public static final int SIZE = 16;

  // Where the fields stand, for those who read an entry in place.
  public static final int LAST_USED = 0;
  public static final int BACKEND_ID = 8;

  public static LbAffinityValue decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("lb_affinity_val", SIZE, bytes);
    return new LbAffinityValue(in.getLong(), in.getInt());
  }

  public byte[] encode() {
    return Layout.bytes(Layout.writer(SIZE).putLong(lastUsed).putInt(backendId));
  }

  /** As Go prints it: backend, last use. */
  @Override
  public String toString() {
    return Integer.toUnsignedString(backendId) + " " + Long.toUnsignedString(lastUsed);
  }
}
