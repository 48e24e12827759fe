package dev.paramecium.container.stack;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers of the wire formats, and reading and writing them in a byte array. */
final class Wire {

  static final int ETHERNET = 14;
  static final int ETHERTYPE_IPV4 = 0x0800;
  static final int ETHERTYPE_ARP = 0x0806;

  static final int IPV4 = 20;
  static final int IPV4_DONT_FRAGMENT = 0x4000;
  static final int IPV4_MORE_FRAGMENTS = 0x2000;
  static final int IPV4_FRAGMENT_OFFSET = 0x1fff;

  static final int ICMP = 1;
  static final int TCP = 6;
  static final int UDP = 17;

  static final int ICMP_HEADER = 8;
  static final int UDP_HEADER = 8;
  static final int TCP_HEADER = 20;

  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle NATIVE64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final VarHandle NATIVE32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());
  private static final boolean SWAP = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

  private Wire() {}

  static int u8(byte[] bytes, int at) {
    return bytes[at] & 0xff;
  }

  static int u16(byte[] bytes, int at) {
    return (short) U16.get(bytes, at) & 0xffff;
  }

  static int i32(byte[] bytes, int at) {
    return (int) U32.get(bytes, at);
  }

  static void setU16(byte[] bytes, int at, int value) {
    U16.set(bytes, at, (short) value);
  }

  static void setI32(byte[] bytes, int at, int value) {
    U32.set(bytes, at, value);
  }

  /**
   * The Internet sum (RFC 1071) of {@code count} bytes, folded to 16 bits and not complemented.
   * Sums of pieces may be added if all pieces but the last have an even length.
   */
  static int sum(byte[] bytes, int from, int count) {
    long sum = 0;
    int at = from;
    int end = from + count;
    for (; at + 32 <= end; at += 32) {
      long a = (long) NATIVE64.get(bytes, at);
      long b = (long) NATIVE64.get(bytes, at + 8);
      long c = (long) NATIVE64.get(bytes, at + 16);
      long d = (long) NATIVE64.get(bytes, at + 24);
      sum += (a >>> 32) + (a & 0xffff_ffffL) + (b >>> 32) + (b & 0xffff_ffffL);
      sum += (c >>> 32) + (c & 0xffff_ffffL) + (d >>> 32) + (d & 0xffff_ffffL);
    }
    for (; at + 4 <= end; at += 4) {
      sum += (int) NATIVE32.get(bytes, at) & 0xffff_ffffL;
    }
    sum = (sum >>> 32) + (sum & 0xffff_ffffL);
    int folded = fold((sum >>> 32) + (sum & 0xffff_ffffL));
    if (SWAP) {
      folded = (folded & 0xff) << 8 | folded >>> 8;
    }
    int rest = 0;
    if (at + 2 <= end) {
      rest += u16(bytes, at);
      at += 2;
    }
    if (at < end) {
      rest += (bytes[at] & 0xff) << 8;
    }
    return fold((long) folded + rest);
  }

  /** The sum of a TCP or UDP pseudo-header (RFC 9293, 3.1). */
  static int pseudoHeaderSum(int source, int destination, int protocol, int length) {
    return fold(
        (source >>> 16)
            + (source & 0xffffL)
            + (destination >>> 16)
            + (destination & 0xffffL)
            + protocol
            + length);
  }

  /** Adds the carries back: a 16-bit sum. */
  static int fold(long sum) {
    long folded = (sum >>> 16) + (sum & 0xffff);
    folded = (folded >>> 16) + (folded & 0xffff);
    return (int) ((folded >>> 16) + (folded & 0xffff));
  }
}
