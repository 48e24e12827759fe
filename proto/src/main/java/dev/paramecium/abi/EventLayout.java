package dev.paramecium.abi;

import java.nio.ByteBuffer;

/** The header and the captured bytes that all records of {@code cilium_events} have. */
final class EventLayout {

  private EventLayout() {}

  /** A record with its header and captured bytes, positioned at the body. */
  static ByteBuffer writer(int type, int subtype, MonitorEvent event, int sizeWithHeader) {
    byte[] captured = event.captured();
    ByteBuffer out = Layout.writer(sizeWithHeader + captured.length);
    out.put((byte) type).put((byte) subtype).putShort((short) event.source());
    out.putInt(event.hash()).putInt(event.originalLength());
    out.putShort((short) captured.length).putShort((short) MonitorEvent.VERSION);
    out.put(sizeWithHeader, captured);
    return out;
  }

  /**
   * A record to read.
   *
   * @throws IllegalArgumentException if it is shorter than its layout or than it says
   */
  static ByteBuffer reader(String name, byte[] bytes, int sizeWithHeader) {
    if (bytes.length < sizeWithHeader) {
      throw new IllegalArgumentException(
          name + " has at least " + sizeWithHeader + " bytes, got " + bytes.length);
    }
    ByteBuffer in = Layout.reader(name, bytes.length, bytes);
    int length = in.getShort(12) & 0xffff;
    if (length > bytes.length - sizeWithHeader) {
      throw new IllegalArgumentException(
          name
              + " says that "
              + length
              + " bytes of the packet follow, there are "
              + (bytes.length - sizeWithHeader));
    }
    return in;
  }

  static int subtype(ByteBuffer in) {
    return in.get(1) & 0xff;
  }

  static int source(ByteBuffer in) {
    return in.getShort(2) & 0xffff;
  }

  static int hash(ByteBuffer in) {
    return in.getInt(4);
  }

  static int originalLength(ByteBuffer in) {
    return in.getInt(8);
  }

  static byte[] captured(ByteBuffer in, int sizeWithHeader) {
    byte[] captured = new byte[in.getShort(12) & 0xffff];
    in.get(sizeWithHeader, captured);
    return captured;
  }
}
