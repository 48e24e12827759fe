package dev.paramecium.abi;

import org.jspecify.annotations.Nullable;

/**
 * A record of {@code cilium_events}: what a program tells about a packet, and the packet's first
 * bytes.
 *
 * <pre>
 *    0        1         2            4          8             12           14          16
 *    | type u8| sub u8  | source u16 | hash u32 | orig_len u32| cap_len u16| version u16| body | captured bytes
 * </pre>
 *
 * Everything in the machine's order.
 */
public sealed interface MonitorEvent permits TraceNotify, DropNotify, PolicyVerdictNotify {

  int TYPE_DROP = 1;
  int TYPE_DEBUG = 2;
  int TYPE_CAPTURE = 3;
  int TYPE_TRACE = 4;
  int TYPE_POLICY_VERDICT = 5;
  int TYPE_RECORDER = 6;
  int TYPE_ACCESS_LOG = 129;
  int TYPE_AGENT = 130;

  /** Bytes before the body. */
  int HEADER_SIZE = 16;

  /** The layout's version. */
  int VERSION = 1;

  /** How much of a packet is captured unless configured otherwise. */
  int DEFAULT_CAPTURE_LENGTH = 128;

  /** The id of the endpoint whose program tells, 0 of the overlay's. */
  int source();

  /** The packet's flow hash, 0 if not computed. */
  int hash();

  /** The packet's length. */
  int originalLength();

  /** The packet's first bytes. */
  byte[] captured();

  /** The record's bytes. */
  byte[] encode();

  /**
   * Reads a record, or answers null for a type that is none of the three.
   *
   * @throws IllegalArgumentException if it is shorter than it says
   */
  static @Nullable MonitorEvent decode(byte[] bytes) {
    return switch (bytes.length == 0 ? 0 : bytes[0] & 0xff) {
      case TYPE_TRACE -> TraceNotify.decode(bytes);
      case TYPE_DROP -> DropNotify.decode(bytes);
      case TYPE_POLICY_VERDICT -> PolicyVerdictNotify.decode(bytes);
      default -> null;
    };
  }
}
