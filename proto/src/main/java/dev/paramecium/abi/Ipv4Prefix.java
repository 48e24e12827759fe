package dev.paramecium.abi;

/**
 * An IPv4 network in CIDR notation.
 *
 * @param address the network's address, host bits zero
 * @param length how many leading bits count, 0 to 32
 */
public record Ipv4Prefix(Ipv4Address address, int length) {

  public Ipv4Prefix {
    if (length < 0 || length > 32) {
      throw new IllegalArgumentException(
          "prefix length " + length + " is out of range: an IPv4 prefix has 0 to 32 bits");
    }
    address = new Ipv4Address(address.value() & mask(length));
  }

  /**
   * Parses {@code 10.42.1.0/24}; host bits are cleared.
   *
   * @throws IllegalArgumentException if the text is not an address, a slash and a length
   */
  public static Ipv4Prefix parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not a network: write an address and a length, as in 10.42.1.0/24");
    }
    int length;
    try {
      length = Integer.parseInt(text.substring(slash + 1));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not a network: the length after the slash must be 0 to 32", e);
    }
    return new Ipv4Prefix(Ipv4Address.parse(text.substring(0, slash)), length);
  }

  /** The mask in host order: {@code mask(24)} is {@code 0xffffff00}. */
  public static int mask(int length) {
    return length == 0 ? 0 : -1 << (32 - length);
  }

  public boolean contains(Ipv4Address candidate) {
    return (candidate.value() & mask(length)) == address.value();
  }

  /** How many addresses the network holds. */
  public long size() {
    return 1L << (32 - length);
  }

  @Override
  public String toString() {
    return address + "/" + length;
  }
}
