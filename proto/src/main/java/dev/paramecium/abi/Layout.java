package dev.paramecium.abi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads and writes C structures: the machine's order is little endian, the network's is big. */
final class Layout {

  private Layout() {}

  /** An all-zero record to fill from the front; what is skipped stays zero, as padding must. */
  static ByteBuffer writer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** All bytes of a record, wherever the writing stopped. */
  static byte[] bytes(ByteBuffer record) {
    byte[] bytes = new byte[record.capacity()];
    record.get(0, bytes);
    return bytes;
  }

  /**
   * @throws IllegalArgumentException if {@code bytes} is not exactly {@code size} long
   */
  static ByteBuffer reader(String record, int size, byte[] bytes) {
    if (bytes.length != size) {
      throw new IllegalArgumentException(
          record + " has " + size + " bytes, got " + bytes.length + ": is it of another map?");
    }
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static int u8(ByteBuffer buffer) {
    return buffer.get() & 0xff;
  }

  static int u16(ByteBuffer buffer) {
    return buffer.getShort() & 0xffff;
  }

  /** A {@code __be16}. */
  static int networkU16(ByteBuffer buffer) {
    return Short.reverseBytes(buffer.getShort()) & 0xffff;
  }

  /** A {@code __be32} that is an address. */
  static Ipv4Address address(ByteBuffer buffer) {
    return new Ipv4Address(Integer.reverseBytes(buffer.getInt()));
  }

  static void putNetworkU16(ByteBuffer buffer, int value) {
    buffer.putShort(Short.reverseBytes((short) value));
  }

  static void putAddress(ByteBuffer buffer, Ipv4Address address) {
    buffer.putInt(Integer.reverseBytes(address.value()));
  }

  static void skip(ByteBuffer buffer, int bytes) {
    buffer.position(buffer.position() + bytes);
  }

  static void requireU8(String field, int value) {
    require(field, value, 0xff);
  }

  static void requireU16(String field, int value) {
    require(field, value, 0xffff);
  }

  static void require(String field, int value, int max) {
    if (value < 0 || value > max) {
      throw new IllegalArgumentException(
          field + " " + value + " is out of range: it must be 0 to " + max);
    }
  }

  /** Lower case hexadecimal with at least {@code digits} digits, unsigned. */
  static String hex(int value, int digits) {
    String text = Integer.toHexString(value);
    return "0".repeat(Math.max(0, digits - text.length())) + text;
  }
}
