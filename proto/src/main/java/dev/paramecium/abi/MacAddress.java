package dev.paramecium.abi;

import java.util.Locale;

/**
 * An Ethernet address.
 *
 * @param value the six bytes as a number, the first byte on the wire most significant
 */
public record MacAddress(long value) {

  public static final MacAddress ZERO = new MacAddress(0);
  public static final MacAddress BROADCAST = new MacAddress(0xffff_ffff_ffffL);

  public MacAddress {
    if (value >>> 48 != 0) {
      throw new IllegalArgumentException(
          "an Ethernet address has 48 bits, got 0x" + Long.toHexString(value));
    }
  }

  /**
   * Parses {@code ae:36:76:3e:c3:03}, in either case.
   *
   * @throws IllegalArgumentException if the text is not six pairs of hexadecimal digits
   */
  public static MacAddress parse(String text) {
    String[] octets = text.split(":", -1);
    long value = 0;
    if (octets.length != 6) {
      throw notAnAddress(text);
    }
    for (String octet : octets) {
      if (octet.length() != 2
          || Character.digit(octet.charAt(0), 16) < 0
          || Character.digit(octet.charAt(1), 16) < 0) {
        throw notAnAddress(text);
      }
      value = value << 8 | Integer.parseInt(octet, 16);
    }
    return new MacAddress(value);
  }

  private static IllegalArgumentException notAnAddress(String text) {
    return new IllegalArgumentException(
        "\""
            + text
            + "\" is not an Ethernet address: write six pairs of hexadecimal digits, as in"
            + " 0a:00:00:00:01:80");
  }

  /** A unicast, locally administered address made of the low 46 bits of {@code entropy}. */
  public static MacAddress locallyAdministered(long entropy) {
    return new MacAddress((entropy & 0xfcff_ffff_ffffL) | 0x0200_0000_0000L);
  }

  /** Upper case, as Cilium's Go code prints a MAC in a map dump. */
  public String toUpperCase() {
    return toString().toUpperCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(17);
    for (int shift = 40; shift >= 0; shift -= 8) {
      int octet = (int) (value >>> shift) & 0xff;
      text.append(Character.forDigit(octet >>> 4, 16)).append(Character.forDigit(octet & 15, 16));
      if (shift > 0) {
        text.append(':');
      }
    }
    return text.toString();
  }
}
