package dev.paramecium.agent.reconciler;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * A map's key or value, comparable by content. Whoever made the array never changes it.
 *
 * @param array the bytes as the kernel holds them
 */
public record Bytes(byte[] array) implements Comparable<Bytes> {

  @Override
  public int compareTo(Bytes other) {
    return Arrays.compareUnsigned(array, other.array);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bytes bytes && Arrays.equals(array, bytes.array);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(array);
  }

  @Override
  public String toString() {
    return HexFormat.ofDelimiter(" ").formatHex(array);
  }
}
