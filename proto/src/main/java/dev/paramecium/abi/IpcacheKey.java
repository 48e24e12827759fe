package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct ipcache_key}, the LPM key of {@code cilium_ipcache}. 24 bytes: prefixlen u32, 3
 * padding, family u8, address (16, IPv4 in the first 4, network order). On the wire of the map the
 * prefix counts the {@value #STATIC_PREFIX_BITS} bits before the address too: a /32 is 64.
 *
 * @param prefixLength of the address alone, 0 to 32; host bits of {@code address} count for the
 *     kernel's comparison only up to it, and are kept as given
 */
public record IpcacheKey(int prefixLength, Ipv4Address address) {

  public static final int SIZE = 24;

  /** Bits of padding and family, compared exactly. */
  public static final int STATIC_PREFIX_BITS = 32;

  /** Where the address stands. */
  public static final int ADDRESS = 8;

  public IpcacheKey {
    Layout.require("prefixLength", prefixLength, 32);
  }

  public IpcacheKey(Ipv4Prefix prefix) {
    this(prefix.length(), prefix.address());
  }

  public IpcacheKey(Ipv4Address address) {
    this(32, address);
  }

  public Ipv4Prefix prefix() {
    return new Ipv4Prefix(address, prefixLength);
  }

  /**
   * @throws IllegalArgumentException also for a prefix that ends before the address or after 32
   *     bits of it
   */
  public static IpcacheKey decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("ipcache_key", SIZE, bytes);
    int prefixLength = in.getInt() - STATIC_PREFIX_BITS;
    in.position(ADDRESS);
    return new IpcacheKey(prefixLength, Layout.address(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    out.putInt(STATIC_PREFIX_BITS + prefixLength);
    out.put(7, (byte) EndpointKey.FAMILY_IPV4);
    out.position(ADDRESS);
    Layout.putAddress(out, address);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code 10.0.1.53/32}. */
  @Override
  public String toString() {
    return address + "/" + prefixLength;
  }
}
