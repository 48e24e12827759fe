package dev.paramecium.packet;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Big-endian numbers in a byte array. */
public final class Wire {

  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle I32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle I64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private Wire() {}

  public static int u8(byte[] bytes, int at) {
    return bytes[at] & 0xff;
  }

  public static int u16(byte[] bytes, int at) {
    return (short) U16.get(bytes, at) & 0xffff;
  }

  public static int i32(byte[] bytes, int at) {
    return (int) I32.get(bytes, at);
  }

  public static long u32(byte[] bytes, int at) {
    return (int) I32.get(bytes, at) & 0xffff_ffffL;
  }

  public static long i64(byte[] bytes, int at) {
    return (long) I64.get(bytes, at);
  }

  public static long mac(byte[] bytes, int at) {
    return (long) u16(bytes, at) << 32 | u32(bytes, at + 2);
  }

  public static void setU8(byte[] bytes, int at, int value) {
    bytes[at] = (byte) value;
  }

  public static void setU16(byte[] bytes, int at, int value) {
    U16.set(bytes, at, (short) value);
  }

  public static void setI32(byte[] bytes, int at, int value) {
    I32.set(bytes, at, value);
  }

  public static void setMac(byte[] bytes, int at, long value) {
    setU16(bytes, at, (int) (value >>> 32));
    setI32(bytes, at + 2, (int) value);
  }

  static void require(String field, long value, long max) {
    if (value < 0 || value > max) {
      throw new IllegalArgumentException(
          field + " " + value + " is out of range: it must be 0 to " + max);
    }
  }
}
