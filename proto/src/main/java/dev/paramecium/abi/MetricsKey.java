package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct metrics_key}, key of {@code cilium_metrics}. 8 bytes: reason u8, direction u8, 6
 * reserved.
 *
 * @param reason 0 for forwarded, otherwise a {@link DropReason} code
 * @param direction one of {@link #INGRESS}, {@link #EGRESS}, {@link #SERVICE}
 */
public record MetricsKey(int reason, int direction) {

  public static final int SIZE = 8;

  public static final int INGRESS = 1;
  public static final int EGRESS = 2;
  public static final int SERVICE = 3;

  public MetricsKey {
    Layout.requireU8("reason", reason);
    Layout.require("direction", direction, 3);
  }

  public static MetricsKey decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("metrics_key", SIZE, bytes);
    return new MetricsKey(Layout.u8(in), Layout.u8(in) & 3);
  }

  public byte[] encode() {
    return new byte[] {(byte) reason, (byte) direction, 0, 0, 0, 0, 0, 0};
  }

  /** The word in {@code cilium bpf metrics list}. */
  public String directionName() {
    return switch (direction) {
      case INGRESS -> "INGRESS";
      case EGRESS -> "EGRESS";
      case SERVICE -> "SERVICE";
      default -> "UNKNOWN";
    };
  }

  /** As Go prints it: {@code reason:133 dir:1}. */
  @Override
  public String toString() {
    return "reason:" + reason + " dir:" + direction;
  }
}
