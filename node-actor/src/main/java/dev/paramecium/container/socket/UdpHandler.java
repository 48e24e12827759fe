package dev.paramecium.container.socket;

/** What a UDP socket tells its process. */
public interface UdpHandler {

  void datagram(UdpSocket socket, SocketAddress from, byte[] payload);

  /** An ICMP error came back for a datagram to {@code remote}. */
  default void error(UdpSocket socket, SocketAddress remote, SocketError error) {}
}
