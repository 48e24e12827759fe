package dev.paramecium.container.stack;

import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Wire;

/**
 * An IPv4 datagram in place, checked once.
 *
 * <pre>
 *   bytes | ... | IPv4 header |  payload                      | ...
 *               at            payloadAt                       payloadAt + payloadLength
 * </pre>
 *
 * Reused from datagram to datagram: nothing may keep it beyond the call that lends it.
 */
final class Datagram {

  /** What {@link #parse} found. */
  enum Fault {
    NONE,
    TRUNCATED,
    HEADER,
    CHECKSUM
  }

  byte[] bytes = new byte[0];
  int at;
  int headerLength;
  int totalLength;
  int source;
  int destination;
  int protocol;
  int ttl;
  int payloadAt;
  int payloadLength;

  /** {@code gso_size}: payload bytes of each of the packets that this one stands for, or 0. */
  int gsoSize;

  /** Whether the transport checksum is known to be right. */
  boolean checksumVerified;

  /** Whether the frame or the address meant more than this host. */
  boolean broadcast;

  /** Whether it was put together of fragments, and is in no frame. */
  boolean assembled;

  /**
   * {@code TPROXY --on-port}: whose listener takes it, whatever its destination says; 0 without.
   */
  int proxyPort;

  /** Whether it answers a masqueraded connection and is on its way to the pod that asked. */
  boolean translated;

  /**
   * Reads a header and checks it as RFC 1122, 3.2.1 asks.
   *
   * @param available bytes from {@code from} on, padding included
   */
  Fault parse(byte[] frame, int from, int available) {
    if (available < Headers.IPV4) {
      return Fault.TRUNCATED;
    }
    int first = Wire.u8(frame, from);
    int header = (first & 0xf) * 4;
    if (first >>> 4 != 4 || header < Headers.IPV4) {
      return Fault.HEADER;
    }
    int total = Wire.u16(frame, from + 2);
    if (header > available || total > available) {
      return Fault.TRUNCATED;
    }
    if (total < header) {
      return Fault.HEADER;
    }
    if (!Checksum.isValid(frame, from, header, 0)) {
      return Fault.CHECKSUM;
    }
    set(frame, from, header, total);
    return Fault.NONE;
  }

  /**
   * Reads the start of a datagram that an ICMP error quotes: whole or not, its checksum unchecked.
   *
   * @return whether there is a header and eight bytes of payload
   */
  boolean parseQuoted(byte[] message, int from, int available) {
    if (available < Headers.IPV4) {
      return false;
    }
    int first = Wire.u8(message, from);
    int header = (first & 0xf) * 4;
    if (first >>> 4 != 4 || header < Headers.IPV4 || header + 8 > available) {
      return false;
    }
    set(message, from, header, available);
    return true;
  }

  private void set(byte[] frame, int from, int header, int total) {
    bytes = frame;
    at = from;
    headerLength = header;
    totalLength = total;
    source = Wire.i32(frame, from + 12);
    destination = Wire.i32(frame, from + 16);
    protocol = Wire.u8(frame, from + 9);
    ttl = Wire.u8(frame, from + 8);
    payloadAt = from + header;
    payloadLength = total - header;
    broadcast = false;
    assembled = false;
    translated = false;
    proxyPort = 0;
    gsoSize = 0;
    checksumVerified = false;
  }

  /** Bytes of the largest of the packets that this one stands for: itself, or its TCP segments. */
  int largestPacket() {
    return gsoSize == 0
        ? totalLength
        : headerLength + (Wire.u8(bytes, payloadAt + 12) >>> 4) * 4 + gsoSize;
  }

  int identification() {
    return Wire.u16(bytes, at + 4);
  }

  boolean dontFragment() {
    return (Wire.u16(bytes, at + 6) & Headers.DONT_FRAGMENT) != 0;
  }

  boolean moreFragments() {
    return (Wire.u16(bytes, at + 6) & Headers.MORE_FRAGMENTS) != 0;
  }

  /** In bytes. */
  int fragmentOffset() {
    return (Wire.u16(bytes, at + 6) & Headers.FRAGMENT_OFFSET) * 8;
  }

  boolean isFragment() {
    return (Wire.u16(bytes, at + 6) & (Headers.MORE_FRAGMENTS | Headers.FRAGMENT_OFFSET)) != 0;
  }
}
