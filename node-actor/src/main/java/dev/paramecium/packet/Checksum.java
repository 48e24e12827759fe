package dev.paramecium.packet;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The Internet checksum: computed (RFC 1071) and updated for a changed field (RFC 1624).
 *
 * <p>A <em>sum</em> here is a one's complement sum that is not folded yet; {@link #finish} makes it
 * the number that a header carries. Sums add with {@code +} as long as fewer than 2^31 are added.
 */
public final class Checksum {

  private static final VarHandle NATIVE64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final boolean LITTLE_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

  private Checksum() {}

  /**
   * The sum of {@code length} bytes from index {@code at}; an odd last byte counts as the high half
   * of a word. Answers 0 to 0xffff.
   */
  public static long sum(byte[] bytes, int at, int length) {
    long sum = 0;
    int end = at + length;
    int i = at;
    // A one's complement sum is the same in either byte order, so words are added as the machine
    // reads them. Each 64-bit word is two 32-bit ones, each worth its two 16-bit ones.
    for (; i + 32 <= end; i += 32) {
      long a = (long) NATIVE64.get(bytes, i);
      long b = (long) NATIVE64.get(bytes, i + 8);
      long c = (long) NATIVE64.get(bytes, i + 16);
      long d = (long) NATIVE64.get(bytes, i + 24);
      sum += (a >>> 32) + (a & 0xffff_ffffL) + (b >>> 32) + (b & 0xffff_ffffL);
      sum += (c >>> 32) + (c & 0xffff_ffffL) + (d >>> 32) + (d & 0xffff_ffffL);
    }
    sum = fold(sum);
    if (LITTLE_ENDIAN) {
      sum = (sum & 0xff) << 8 | sum >>> 8;
    }
    for (; i + 2 <= end; i += 2) {
      sum += Wire.u16(bytes, i);
    }
    if (i < end) {
      sum += (long) Wire.u8(bytes, i) << 8;
    }
    return fold(sum);
  }

  /** The sum of TCP's and UDP's pseudo header (RFC 9293 section 3.1, RFC 768). */
  public static long pseudoHeader(int source, int destination, int protocol, int l4Length) {
    return (source >>> 16)
        + (source & 0xffffL)
        + (destination >>> 16)
        + (destination & 0xffffL)
        + protocol
        + l4Length;
  }

  /** 16 bits of a sum. */
  private static long fold(long sum) {
    long folded = (sum >>> 32) + (sum & 0xffff_ffffL);
    folded = (folded >>> 32) + (folded & 0xffff_ffffL);
    folded = (folded >>> 16) + (folded & 0xffffL);
    folded = (folded >>> 16) + (folded & 0xffffL);
    return (folded >>> 16) + (folded & 0xffffL);
  }

  /** What a header carries for a sum. */
  public static int finish(long sum) {
    return (int) ~fold(sum) & 0xffff;
  }

  /**
   * Whether the bytes, their checksum field included, add up with {@code pseudoHeader}, which is 0
   * where there is none.
   */
  public static boolean isValid(byte[] bytes, int at, int length, long pseudoHeader) {
    return fold(sum(bytes, at, length) + pseudoHeader) == 0xffff;
  }

  /** The checksum after one 16-bit field changed (RFC 1624, equation 3). */
  public static int replace16(int checksum, int from, int to) {
    return finish((~checksum & 0xffffL) + (~from & 0xffffL) + (to & 0xffffL));
  }

  /** The checksum after one 32-bit field, at an even offset, changed. */
  public static int replace32(int checksum, int from, int to) {
    return finish(
        (~checksum & 0xffffL) + (~from >>> 16) + (~from & 0xffffL) + (to >>> 16) + (to & 0xffffL));
  }

  /** {@code bpf_l3_csum_replace}: updates the checksum at {@code at} for a changed 16-bit field. */
  public static void replaceL3(byte[] bytes, int at, int from, int to) {
    Wire.setU16(bytes, at, replace16(Wire.u16(bytes, at), from, to));
  }

  /**
   * {@code bpf_l4_csum_replace} for a 32-bit field, as an address of the pseudo header.
   *
   * @param udp BPF_F_MARK_MANGLED_0: a checksum of 0 means none and stays; one that becomes 0 is
   *     sent as 0xffff (RFC 768)
   */
  public static void replaceL4(byte[] bytes, int at, int from, int to, boolean udp) {
    int checksum = Wire.u16(bytes, at);
    if (!udp || checksum != 0) {
      Wire.setU16(bytes, at, mangled(replace32(checksum, from, to), udp));
    }
  }

  /** The same for a 16-bit field, as a port. */
  public static void replaceL4Port(byte[] bytes, int at, int from, int to, boolean udp) {
    int checksum = Wire.u16(bytes, at);
    if (!udp || checksum != 0) {
      Wire.setU16(bytes, at, mangled(replace16(checksum, from, to), udp));
    }
  }

  private static int mangled(int checksum, boolean udp) {
    return udp && checksum == 0 ? 0xffff : checksum;
  }
}
