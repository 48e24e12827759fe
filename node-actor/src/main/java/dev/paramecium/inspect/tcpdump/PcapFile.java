package dev.paramecium.inspect.tcpdump;

import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.ToolError;
import dev.paramecium.inspect.packet.Packet;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The classic pcap format: a header of 24 bytes, then 16 bytes and the frame for each packet, times
 * in microseconds (pcap-savefile(5)).
 */
final class PcapFile {

  static final int LINKTYPE_ETHERNET = 1;

  /** What a capture on all devices has instead of Ethernet. */
  static final int LINKTYPE_LINUX_SLL2 = 276;

  private static final int MAGIC_MICROSECONDS = 0xa1b2c3d4;
  private static final int MAGIC_NANOSECONDS = 0xa1b23c4d;

  private PcapFile() {}

  /** A file's frames. */
  record Contents(int linkType, int snapLength, List<Record> records) {}

  /**
   * A frame in a file.
   *
   * @param epochNs when it was captured
   * @param frame with the time left out
   */
  record Record(long epochNs, KernelView.Frame frame) {}

  static byte[] header(int snapLength, int linkType) {
    return ByteBuffer.allocate(24)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(MAGIC_MICROSECONDS)
        .putShort((short) 2)
        .putShort((short) 4)
        .putInt(0)
        .putInt(0)
        .putInt(snapLength)
        .putInt(linkType)
        .array();
  }

  /** One frame's record. */
  static byte[] record(long epochNs, KernelView.Frame frame, boolean cooked) {
    byte[] bytes = frame.bytes();
    int skipped = cooked ? Math.min(14, bytes.length) : 0;
    byte[] link = cooked ? sll2(frame) : new byte[0];
    int captured = link.length + bytes.length - skipped;
    return ByteBuffer.allocate(16 + captured)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt((int) (epochNs / 1_000_000_000L))
        .putInt((int) (epochNs % 1_000_000_000L / 1000))
        .putInt(captured)
        .putInt(link.length + frame.length() - skipped)
        .put(link)
        .put(bytes, skipped, bytes.length - skipped)
        .array();
  }

  /** LINUX_SLL2's header: protocol, ifindex, ARPHRD_ETHER, packet type, the sender's address. */
  private static byte[] sll2(KernelView.Frame frame) {
    byte[] bytes = frame.bytes();
    ByteBuffer out = ByteBuffer.allocate(20);
    Packet packet = new Packet(bytes);
    out.putShort(packet.hasEthernet() ? (short) packet.u16(12) : 0).putShort((short) 0);
    out.putInt(frame.ifindex()).putShort((short) 1);
    out.put((byte) packetType(frame)).put((byte) 6);
    if (bytes.length >= 12) {
      out.put(bytes, 6, 6);
    }
    return out.array();
  }

  /** 0 to us, 1 broadcast, 2 multicast, 4 from us. */
  static int packetType(KernelView.Frame frame) {
    if (frame.outgoing()) {
      return 4;
    }
    byte[] bytes = frame.bytes();
    if (bytes.length < 6 || (bytes[0] & 1) == 0) {
      return 0;
    }
    for (int i = 0; i < 6; i++) {
      if (bytes[i] != -1) {
        return 2;
      }
    }
    return 1;
  }

  /**
   * Reads a file of either byte order, with times in micro- or nanoseconds.
   *
   * @throws ToolError with tcpdump's words if it is none, or is of another link type
   */
  static Contents read(byte[] file) {
    if (file.length < 24) {
      throw new ToolError(
          1,
          "tcpdump: truncated dump file; tried to read 24 file header bytes, only got "
              + file.length);
    }
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int magic = in.getInt(0);
    if (magic == Integer.reverseBytes(MAGIC_MICROSECONDS)
        || magic == Integer.reverseBytes(MAGIC_NANOSECONDS)) {
      in.order(ByteOrder.BIG_ENDIAN);
      magic = in.getInt(0);
    }
    if (magic != MAGIC_MICROSECONDS && magic != MAGIC_NANOSECONDS) {
      throw new ToolError(1, "tcpdump: unknown file format");
    }
    int unit = magic == MAGIC_MICROSECONDS ? 1000 : 1;
    int linkType = in.getInt(20) & 0xffff;
    if (linkType != LINKTYPE_ETHERNET) {
      throw new ToolError(
          1,
          "tcpdump: link type "
              + linkType
              + " cannot be read here: only Ethernet (1) can; tshark reads the others");
    }
    List<Record> records = new ArrayList<>();
    in.position(24);
    while (in.remaining() >= 16) {
      long epochNs = in.getInt() * 1_000_000_000L + (long) in.getInt() * unit;
      int captured = in.getInt();
      int length = in.getInt();
      if (captured < 0 || captured > in.remaining()) {
        throw new ToolError(
            1,
            "tcpdump: truncated dump file; tried to read "
                + Integer.toUnsignedString(captured)
                + " captured bytes, only got "
                + in.remaining());
      }
      byte[] bytes = new byte[captured];
      in.get(bytes);
      records.add(new Record(epochNs, new KernelView.Frame(0, 0, false, bytes, length)));
    }
    return new Contents(linkType, in.getInt(16), records);
  }
}
