package dev.paramecium.container.socket;

import dev.paramecium.abi.Ipv4Address;

/** The socket layer of one network namespace. */
public interface Sockets {

  /** The handler of a connection that a listener accepts. */
  interface Acceptor {
    TcpHandler accept(TcpConnection connection);
  }

  /**
   * connect(2) without blocking: {@code handler} hears {@code connected} or {@code failed}. The
   * ephemeral port is chosen at once.
   */
  TcpConnection connect(SocketAddress remote, TcpHandler handler) throws SocketException;

  /**
   * bind(2) and listen(2).
   *
   * @param local {@link Ipv4Address#ANY} or one of the namespace's own
   * @param backlog how many connections may wait for accept; further SYNs are ignored
   */
  TcpListener listen(Ipv4Address local, int port, int backlog, Acceptor acceptor)
      throws SocketException;

  /** A UDP socket; port 0 takes an ephemeral one. */
  UdpSocket bindUdp(Ipv4Address local, int port, UdpHandler handler) throws SocketException;

  /** A ping socket ({@code SOCK_DGRAM, IPPROTO_ICMP}) with an identifier of its own. */
  PingSocket openPing(PingHandler handler) throws SocketException;

  /**
   * A raw socket.
   *
   * @param protocol an IP protocol that the stack has no sockets for
   */
  RawSocket openRaw(int protocol, RawSocket.Handler handler) throws SocketException;

  /** Runs {@code task} on the namespace's actor after {@code delayMs}. */
  Timer schedule(long delayMs, Runnable task);

  /** A pending timer. */
  interface Timer {
    void cancel();
  }
}
