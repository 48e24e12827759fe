package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct endpoint_key}: key of {@code cilium_lxc}, key and value of {@code
 * cilium_tunnel_map}. 20 bytes: address (16, IPv4 in the first 4, network order), family u8, key
 * u8, 2 padding.
 *
 * @param key the IPsec key index, 0 without encryption
 */
public record EndpointKey(Ipv4Address address, int key) {

  public static final int SIZE = 20;

  /** The only family here; 2 is IPv6. */
  public static final int FAMILY_IPV4 = 1;

  public EndpointKey {
    Layout.requireU8("key", key);
  }

  public EndpointKey(Ipv4Address address) {
    this(address, 0);
  }

  public static EndpointKey decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("endpoint_key", SIZE, bytes);
    Ipv4Address address = Layout.address(in);
    return new EndpointKey(address, bytes[17] & 0xff);
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putAddress(out, address);
    out.put(16, (byte) FAMILY_IPV4);
    out.put(17, (byte) key);
    return Layout.bytes(out);
  }

  /** As Go prints it: {@code 10.0.0.21:0}. */
  @Override
  public String toString() {
    return address + ":" + key;
  }
}
