package dev.paramecium.datapath.underlay;

import dev.paramecium.abi.Ipv4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** Real socket addresses of emulated ones and back. */
final class SocketAddresses {

  private SocketAddresses() {}

  static InetSocketAddress of(Ipv4Address address, int port) {
    int value = address.value();
    byte[] octets = {
      (byte) (value >>> 24), (byte) (value >>> 16), (byte) (value >>> 8), (byte) value
    };
    try {
      return new InetSocketAddress(InetAddress.getByAddress(octets), port);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("four octets are an IPv4 address", e);
    }
  }

  /** An IPv4 address in host order. */
  static int value(InetAddress address) {
    byte[] octets = address.getAddress();
    if (octets.length != 4) {
      throw new IllegalArgumentException(address + " is not an IPv4 address");
    }
    return (octets[0] & 0xff) << 24
        | (octets[1] & 0xff) << 16
        | (octets[2] & 0xff) << 8
        | (octets[3] & 0xff);
  }
}
