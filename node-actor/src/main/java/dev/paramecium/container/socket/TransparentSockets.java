package dev.paramecium.container.socket;

import dev.paramecium.container.socket.Sockets.Acceptor;

/**
 * What a transparent proxy in the node's own namespace does with sockets: IP_TRANSPARENT, so that
 * they have addresses of others, and SO_MARK, so that the datapath knows whom they speak for.
 *
 * <p>A mark of 0 is the namespace's own.
 */
public interface TransparentSockets {

  /** Installs the rules that lead marked packets to the listeners below. Idempotent. */
  void enableTransparentProxy();

  /**
   * Listens for connections that TPROXY redirects to {@code port}; {@link TcpConnection#local} of
   * what it accepts is the address that the client asked for.
   */
  TcpListener listenTransparent(int port, int backlog, int mark, Acceptor acceptor)
      throws SocketException;

  /** connect(2) after bind(2) to {@code local}, an address of another host. */
  TcpConnection connectFrom(SocketAddress local, SocketAddress remote, int mark, TcpHandler handler)
      throws SocketException;

  /** connect(2) from an address of this host. */
  TcpConnection connectMarked(SocketAddress remote, int mark, TcpHandler handler)
      throws SocketException;

  /** A UDP socket on an ephemeral port. */
  UdpSocket bindMarked(int mark, UdpHandler handler) throws SocketException;

  /** Takes datagrams that TPROXY redirects to {@code port}. */
  TransparentUdpSocket bindTransparent(int port, int mark, TransparentUdpSocket.Handler handler)
      throws SocketException;
}
