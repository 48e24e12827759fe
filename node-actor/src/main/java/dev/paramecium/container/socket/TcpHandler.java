package dev.paramecium.container.socket;

/**
 * What a connection tells its process. Exactly one of {@link #failed} and {@link #closed} comes
 * last; after {@link TcpConnection#abort} nothing comes at all. A handler is never called from
 * inside a socket call.
 */
public interface TcpHandler {

  /** The handshake is done (a connection that was accepted is connected already). */
  default void connected(TcpConnection connection) {}

  /** Bytes arrived in order; {@code bytes} is only lent until the call returns. */
  void data(TcpConnection connection, byte[] bytes, int from, int count);

  /** The send buffer has room again. */
  default void writable(TcpConnection connection) {}

  /** The peer sent FIN: no more data will come. */
  void peerClosed(TcpConnection connection);

  /** The connection ended with an error, or could not be made. */
  void failed(TcpConnection connection, SocketError error);

  /** Both directions are closed and acknowledged (the stack may still hold it in TIME_WAIT). */
  default void closed(TcpConnection connection) {}
}
