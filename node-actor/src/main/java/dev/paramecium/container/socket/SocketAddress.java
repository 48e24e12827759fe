package dev.paramecium.container.socket;

import dev.paramecium.abi.Ipv4Address;

/** An address and a port, {@code sockaddr_in}. */
public record SocketAddress(Ipv4Address address, int port) {

  public SocketAddress {
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("port " + port + " is out of range: 0 to 65535");
    }
  }

  @Override
  public String toString() {
    return address + ":" + port;
  }
}
