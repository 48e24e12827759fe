package dev.paramecium.inspect.cilium;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * {@code struct debug_capture_msg}, 24 bytes: type u8, subtype u8, source u16, hash u32, length
 * u32, original length u16, version u16, two arguments u32; then the packet's first bytes.
 *
 * @param captured not to be changed after
 */
@SuppressWarnings("ArrayRecordComponent") // read once, never compared
record DebugCapture(
    int subtype, int source, int hash, int length, int arg1, int arg2, byte[] captured) {

  static final int SIZE = 24;

  static DebugCapture decode(byte[] bytes) {
    if (bytes.length < SIZE) {
      throw new IllegalArgumentException(
          "debug_capture_msg has at least " + SIZE + " bytes, got " + bytes.length);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return new DebugCapture(
        in.get(1) & 0xff,
        in.getShort(2) & 0xffff,
        in.getInt(4),
        in.getInt(8),
        in.getInt(16),
        in.getInt(20),
        Arrays.copyOfRange(bytes, SIZE, bytes.length));
  }

  private int port() {
    return Short.reverseBytes((short) arg1) & 0xffff;
  }

  /** What stands before the connection in a summary; empty for what is only told in full. */
  String arrow(IntFunction<String> interfaceName) {
    return switch (subtype) {
      case 4 -> "-> " + interfaceName.apply(arg1);
      case 5 -> "<- load-balancer " + interfaceName.apply(arg1);
      case 6 -> "== v4->v6 " + arg1;
      case 7 -> "== v6->v4 " + arg1;
      case 9 -> "-> proxy port " + port();
      default -> "";
    };
  }

  String text() {
    return switch (subtype) {
      case 4 -> "Delivery to ifindex " + arg1;
      case 5 -> "Incoming packet to load balancer on ifindex " + arg1;
      case 6 -> "Packet after nat46 ifindex " + arg1;
      case 7 -> "Packet after nat64 ifindex " + arg1;
      case 8 -> "Packet to proxy port " + port() + " (Pre)";
      case 9 -> "Packet to proxy port " + port() + " (Post)";
      case 10 -> "Packet going into snat engine on ifindex " + arg1;
      case 11 -> "Packet coming from snat engine on ifindex " + arg1;
      default -> "Unknown message type=" + subtype + " arg1=" + arg1;
    };
  }
}
