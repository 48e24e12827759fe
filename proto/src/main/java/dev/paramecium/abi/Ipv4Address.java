package dev.paramecium.abi;

/**
 * An IPv4 address.
 *
 * @param value the address in host order, so that 10.42.1.80 is {@code 0x0a2a0150}
 */
public record Ipv4Address(int value) implements Comparable<Ipv4Address> {

  public static final Ipv4Address ANY = new Ipv4Address(0);

  /**
   * Parses dotted-quad notation.
   *
   * @throws IllegalArgumentException if {@code text} is not four decimal numbers from 0 to 255
   */
  public static Ipv4Address parse(String text) {
    int value = 0;
    int octets = 0;
    int at = 0;
    while (octets < 4) {
      int end = text.indexOf('.', at);
      if (end < 0) {
        end = text.length();
      }
      int octet = 0;
      if (end == at || end - at > 3) {
        throw notAnAddress(text);
      }
      for (int i = at; i < end; i++) {
        char c = text.charAt(i);
        if (c < '0' || c > '9') {
          throw notAnAddress(text);
        }
        octet = octet * 10 + (c - '0');
      }
      if (octet > 255) {
        throw notAnAddress(text);
      }
      value = value << 8 | octet;
      octets++;
      at = end + 1;
      if (end == text.length()) {
        break;
      }
    }
    if (octets != 4 || at != text.length() + 1) {
      throw notAnAddress(text);
    }
    return new Ipv4Address(value);
  }

  private static IllegalArgumentException notAnAddress(String text) {
    return new IllegalArgumentException(
        "\""
            + text
            + "\" is not an IPv4 address: write four numbers from 0 to 255, as in 10.42.1.80");
  }

  /** The address {@code offset} above this one. */
  public Ipv4Address plus(int offset) {
    return new Ipv4Address(value + offset);
  }

  /** Orders addresses as unsigned numbers. */
  @Override
  public int compareTo(Ipv4Address other) {
    return Integer.compareUnsigned(value, other.value);
  }

  @Override
  public String toString() {
    return format(value);
  }

  /** Dotted-quad notation of an address in host order. */
  public static String format(int address) {
    return (address >>> 24)
        + "."
        + (address >>> 16 & 0xff)
        + "."
        + (address >>> 8 & 0xff)
        + "."
        + (address & 0xff);
  }
}
