package dev.paramecium.bpf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Keys and values as little-endian 64-bit words: byte 0 of the record is the lowest byte of word 0,
 * and what the record does not fill of the last word is zero.
 */
final class Words {

  private static final VarHandle I32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle I64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Words() {}

  /** How many words hold {@code bytes} bytes. */
  static int count(int bytes) {
    return (bytes + 7) >>> 3;
  }

  /** Word {@code index} of a record of {@code size} bytes that starts at {@code from}. */
  static long word(byte[] bytes, int from, int size, int index) {
    int at = index << 3;
    if (at >= size) {
      return 0;
    }
    if (at + 8 <= size) {
      return (long) I64.get(bytes, from + at);
    }
    long word = 0;
    for (int i = size - 1; i >= at; i--) {
      word = word << 8 | (bytes[from + i] & 0xff);
    }
    return word;
  }

  static void copyIn(byte[] source, int from, int size, long[] words, int to) {
    for (int i = 0; i < count(size); i++) {
      words[to + i] = word(source, from, size, i);
    }
  }

  static void copyOut(long[] words, int from, byte[] target, int to, int size) {
    for (int i = 0; i < size; i++) {
      target[to + i] = (byte) (words[from + (i >>> 3)] >>> ((i & 7) << 3));
    }
  }

  static int i32(byte[] bytes) {
    return i32(bytes, 0);
  }

  static int i32(byte[] bytes, int at) {
    return (int) I32.get(bytes, at);
  }

  static void setI32(byte[] bytes, int at, int value) {
    I32.set(bytes, at, value);
  }

  static byte[] bytes(int value) {
    byte[] bytes = new byte[Integer.BYTES];
    I32.set(bytes, 0, value);
    return bytes;
  }
}
