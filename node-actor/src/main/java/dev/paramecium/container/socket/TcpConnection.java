package dev.paramecium.container.socket;

/** One end of a TCP connection. */
public interface TcpConnection {

  SocketAddress local();

  SocketAddress remote();

  /**
   * Puts bytes into the send buffer.
   *
   * @return how many were taken, from 0 to {@code count}; after fewer than {@code count}, {@link
   *     TcpHandler#writable} tells when there is room
   */
  int write(byte[] bytes, int from, int count);

  /** Sends FIN after what is in the send buffer; reading goes on. */
  void shutdownWrite();

  /** close(2): both directions; the stack finishes in the background. */
  void close();

  /** Sends RST and forgets the connection. */
  void abort();

  /** Stops calls of {@link TcpHandler#data}; the receive window closes when the buffer is full. */
  void pauseReading();

  void resumeReading();

  /** TCP_NODELAY, on by default false: Nagle's algorithm (RFC 9293, 3.7.4). */
  void setNoDelay(boolean on);

  /**
   * SO_KEEPALIVE: probes after {@code idleMs}, every {@code intervalMs}, gives up after {@code
   * count}.
   */
  void setKeepAlive(long idleMs, long intervalMs, int count);
}
