package dev.paramecium.abi;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * {@code struct metrics_value}, one CPU's value in {@code cilium_metrics}. 16 bytes: count u64,
 * bytes u64.
 */
public record MetricsValue(long count, long bytes) {

  public static final int SIZE = 16;

  // Where the fields stand, for those who read an entry in place.
  public static final int COUNT = 0;
  public static final int BYTES = 8;

  public static MetricsValue decode(byte[] encoded) {
    ByteBuffer in = Layout.reader("metrics_value", SIZE, encoded);
    return new MetricsValue(in.getLong(), in.getLong());
  }

  public byte[] encode() {
    return Layout.bytes(Layout.writer(SIZE).putLong(count).putLong(bytes));
  }

  /**
   * What a counter says: the sum of the values of all CPUs, as a lookup in the map answers them one
   * after the other.
   *
   * @throws IllegalArgumentException if {@code perCpu} is not whole values
   */
  public static MetricsValue sumOf(byte[] perCpu) {
    if (perCpu.length == 0 || perCpu.length % SIZE != 0) {
      throw new IllegalArgumentException(
          "values of all CPUs have a multiple of " + SIZE + " bytes, got " + perCpu.length);
    }
    MetricsValue sum = new MetricsValue(0, 0);
    for (int from = 0; from < perCpu.length; from += SIZE) {
      sum = sum.plus(decode(Arrays.copyOfRange(perCpu, from, from + SIZE)));
    }
    return sum;
  }

  /** Of two CPUs. */
  public MetricsValue plus(MetricsValue other) {
    return new MetricsValue(count + other.count, bytes + other.bytes);
  }

  /** As Go prints it: {@code count:3 bytes:222}. */
  @Override
  public String toString() {
    return "count:" + Long.toUnsignedString(count) + " bytes:" + Long.toUnsignedString(bytes);
  }
}
