package dev.paramecium.container.socket;

/** A UDP socket. */
public interface UdpSocket {

  SocketAddress local();

  /** Sends one datagram, in fragments if it exceeds the path's MTU. */
  void send(SocketAddress remote, byte[] payload) throws SocketException;

  void close();
}
