package dev.paramecium.container.stack;

import dev.paramecium.packet.TcpOptions;
import dev.paramecium.packet.Wire;

/** A TCP segment in place (RFC 9293, 3.1), checked once, reused from segment to segment. */
final class TcpSegment {

  static final int FIN = 0x01;
  static final int SYN = 0x02;
  static final int RST = 0x04;
  static final int PSH = 0x08;
  static final int ACK = 0x10;

  /** NOP, NOP, kind 8, length 10: how every stack lays a lone timestamps option out. */
  private static final int ALIGNED_TIMESTAMPS = 0x0101080a;

  byte[] bytes = new byte[0];
  int source;
  int destination;
  int sourcePort;
  int destinationPort;
  int seq;
  int ack;
  int flags;
  int window;
  int dataAt;
  int dataLength;

  /** Data bytes of each segment that the peer sent: less than {@link #dataLength} after GRO. */
  int unit;

  /** 0 if the option is absent. */
  int mss;

  /** -1 if the option is absent. */
  int windowShift;

  boolean sackPermitted;
  boolean hasTimestamps;
  int timestamp;
  int timestampEcho;
  int sackCount;
  private final TcpOptions options = new TcpOptions();
  final int[] sackLeft = new int[4];
  final int[] sackRight = new int[4];

  /** Reads the header; false if it is malformed. The checksum is the caller's. */
  boolean parse(Datagram in) {
    if (in.payloadLength < Headers.TCP) {
      return false;
    }
    bytes = in.bytes;
    int at = in.payloadAt;
    int offsetAndFlags = Wire.u16(bytes, at + 12);
    int header = (offsetAndFlags >>> 12) * 4;
    if (header < Headers.TCP || header > in.payloadLength) {
      return false;
    }
    source = in.source;
    destination = in.destination;
    int ports = Wire.i32(bytes, at);
    sourcePort = ports >>> 16;
    destinationPort = ports & 0xffff;
    seq = Wire.i32(bytes, at + 4);
    ack = Wire.i32(bytes, at + 8);
    flags = offsetAndFlags & 0x3f;
    window = Wire.u16(bytes, at + 14);
    dataAt = at + header;
    dataLength = in.payloadLength - header;
    unit = in.gsoSize == 0 ? dataLength : in.gsoSize;
    mss = 0;
    windowShift = -1;
    sackPermitted = false;
    hasTimestamps = false;
    sackCount = 0;
    if (header > Headers.TCP) {
      readOptions(at + Headers.TCP, header - Headers.TCP);
    }
    return true;
  }

  private void readOptions(int from, int length) {
    if (length == TcpOutput.TIMESTAMPS_LENGTH && Wire.i32(bytes, from) == ALIGNED_TIMESTAMPS) {
      hasTimestamps = true;
      timestamp = Wire.i32(bytes, from + 4);
      timestampEcho = Wire.i32(bytes, from + 8);
      return;
    }
    // A malformed option ends the reading; what came before it counts, as in Linux.
    options.read(bytes, from, length);
    mss = Math.max(0, options.mss());
    windowShift = options.windowScale();
    sackPermitted = options.sackPermitted();
    hasTimestamps = options.hasTimestamps();
    timestamp = options.timestampValue();
    timestampEcho = options.timestampEcho();
    sackCount = options.sackBlocks();
    for (int i = 0; i < sackCount; i++) {
      sackLeft[i] = options.sackLeft(i);
      sackRight[i] = options.sackRight(i);
    }
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** Sequence space: data, SYN and FIN. */
  int length() {
    return dataLength + (flags & FIN) + ((flags & SYN) >>> 1);
  }

  /** The sequence number behind the segment. */
  int end() {
    return seq + length();
  }
}
