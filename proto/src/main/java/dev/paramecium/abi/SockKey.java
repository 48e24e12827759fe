package dev.paramecium.abi;

import java.nio.ByteBuffer;

/**
 * {@code struct sock_key}, key of {@code cilium_sock_ops}. 44 bytes: source 16, destination 16
 * (IPv4 in the first 4 of each), family u8 (1 = IPv4), 3 padding, source port u32, destination port
 * u32. A port stands in network order in the first two bytes of its field.
 *
 * <p>The direction is that of the data: an entry's source is the peer of the socket it leads to.
 *
 * @param sourcePort in host order here
 * @param destinationPort in host order here
 */
public record SockKey(
    Ipv4Address source, int sourcePort, Ipv4Address destination, int destinationPort) {

  public static final int SIZE = 44;

  /** Of the value that bpf(2) knows, {@code int}. */
  public static final int VALUE_SIZE = 4;

  private static final int FAMILY_IPV4 = 1;
  private static final int ADDRESS_PADDING = 12;

  public SockKey {
    Layout.requireU16("sourcePort", sourcePort);
    Layout.requireU16("destinationPort", destinationPort);
  }

  public static SockKey decode(byte[] bytes) {
    ByteBuffer in = Layout.reader("sock_key", SIZE, bytes);
    Ipv4Address source = Layout.address(in);
    Layout.skip(in, ADDRESS_PADDING);
    Ipv4Address destination = Layout.address(in);
    Layout.skip(in, ADDRESS_PADDING + 4);
    int sourcePort = Layout.networkU16(in);
    Layout.skip(in, 2);
    return new SockKey(source, sourcePort, destination, Layout.networkU16(in));
  }

  public byte[] encode() {
    ByteBuffer out = Layout.writer(SIZE);
    Layout.putAddress(out, source);
    Layout.skip(out, ADDRESS_PADDING);
    Layout.putAddress(out, destination);
    Layout.skip(out, ADDRESS_PADDING);
    out.put((byte) FAMILY_IPV4);
    Layout.skip(out, 3);
    Layout.putNetworkU16(out, sourcePort);
    Layout.skip(out, 2);
    Layout.putNetworkU16(out, destinationPort);
    return Layout.bytes(out);
  }

  /** The other direction of the same connection. */
  public SockKey reversed() {
    return new SockKey(destination, destinationPort, source, sourcePort);
  }

  /** {@code 10.42.1.80:43210->10.42.1.81:80}. */
  @Override
  public String toString() {
    return source + ":" + sourcePort + "->" + destination + ":" + destinationPort;
  }
}
