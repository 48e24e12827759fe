package dev.paramecium.inspect.tcpdump;

import dev.paramecium.inspect.packet.Packet;

/** Internet checksums of captured headers (RFC 1071), as -v verifies them. */
final class Checksums {

  private Checksums() {}

  /** The folded, inverted sum with the checksum in place: 0 if it is right. */
  static int ones(Packet packet, int from, int count, long start) {
    long sum = start;
    for (int i = 0; i + 1 < count; i += 2) {
      sum += packet.u16(from + i);
    }
    if (count % 2 == 1) {
      sum += (long) packet.u8(from + count - 1) << 8;
    }
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return (int) (~sum & 0xffff);
  }

  /** Of a TCP segment or UDP datagram of {@code length} bytes, with its pseudo header. */
  static int transport(Packet packet, int length) {
    int source = packet.source().value();
    int destination = packet.destination().value();
    long pseudo =
        (source >>> 16)
            + (source & 0xffffL)
            + (destination >>> 16)
            + (destination & 0xffffL)
            + packet.protocol()
            + length;
    return ones(packet, packet.transportOffset(), length, pseudo);
  }

  /** What {@code found} should have been, given what the sum came to. */
  static int expected(int found, int sum) {
    int value = found + sum;
    return (value & 0xffff) + (value >>> 16);
  }
}
