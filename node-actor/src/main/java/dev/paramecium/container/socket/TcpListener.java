package dev.paramecium.container.socket;

/** A listening socket. */
public interface TcpListener {

  SocketAddress local();

  /** Stops listening; connections that wait for accept are reset. */
  void close();
}
