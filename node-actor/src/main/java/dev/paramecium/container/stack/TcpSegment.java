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

  /** 0 if the option is absent. */
  int mss;

  /** -1 if the option is absent. */
  int windowShift;

  boolean sackPermitted;
  boolean hasTimestamps;
  int timestamp;
  int timestampEcho;
  int sackCount;
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
    mss = 0;
    windowShift = -1;
    sackPermitted = false;
    hasTimestamps = false;
    sackCount = 0;
    if (header > Headers.TCP) {
      options(at + Headers.TCP, dataAt);
    }
    return true;
  }

  /** An option with a wrong length ends the reading, as in Linux; what came before counts. */
  private void options(int from, int end) {
    if (end - from == 12 && Wire.i32(bytes, from) == ALIGNED_TIMESTAMPS) {
      timestamps(from + 2);
      return;
    }
    int at = from;
    while (at < end) {
      int kind = Wire.u8(bytes, at);
      if (kind == TcpOptions.END) {
        return;
      }
      if (kind == TcpOptions.NO_OPERATION) {
        at++;
        continue;
      }
      if (at + 1 >= end) {
        return;
      }
      int length = Wire.u8(bytes, at + 1);
      if (length < 2 || at + length > end) {
        return;
      }
      if (kind == TcpOptions.MSS && length == 4) {
        mss = Wire.u16(bytes, at + 2);
      } else if (kind == TcpOptions.WINDOW_SCALE && length == 3) {
        windowShift = Math.min(TcpOptions.MAX_WINDOW_SCALE, Wire.u8(bytes, at + 2));
      } else if (kind == TcpOptions.SACK_PERMITTED && length == 2) {
        sackPermitted = true;
      } else if (kind == TcpOptions.TIMESTAMPS && length == 10) {
        timestamps(at);
      } else if (kind == TcpOptions.SACK && length >= 10 && (length - 2) % 8 == 0) {
        sackCount = Math.min(4, (length - 2) / 8);
        for (int i = 0; i < sackCount; i++) {
          sackLeft[i] = Wire.i32(bytes, at + 2 + 8 * i);
          sackRight[i] = Wire.i32(bytes, at + 6 + 8 * i);
        }
      }
      at += length;
    }
  }

  private void timestamps(int at) {
    hasTimestamps = true;
    timestamp = Wire.i32(bytes, at + 2);
    timestampEcho = Wire.i32(bytes, at + 6);
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
