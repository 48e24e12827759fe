package dev.paramecium.container.socket;

/**
 * A UDP socket of a transparent proxy: it takes what was sent to others and answers in their name.
 */
public interface TransparentUdpSocket {

  /** What it tells its process. */
  interface Handler {

    /**
     * A datagram was redirected to the proxy.
     *
     * @param to whom it was sent to (IP_RECVORIGDSTADDR)
     */
    void datagram(SocketAddress from, SocketAddress to, byte[] payload);
  }

  /** Sends one datagram from {@code source}, which may be anybody's address. */
  void send(SocketAddress source, SocketAddress remote, byte[] payload) throws SocketException;

  void close();
}
