package dev.paramecium.container.process.curl;

import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.Sockets;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import org.jspecify.annotations.Nullable;

/** A connection that one transfer after another uses, as in curl's connection cache. */
final class Link implements TcpHandler {

  private final int number;
  private @Nullable TcpHandler user;
  private @Nullable TcpConnection connection;
  private boolean alive = true;

  /**
   * @param number as -v counts connections, from 0
   */
  Link(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  void connect(Sockets sockets, SocketAddress remote, TcpHandler first) throws SocketException {
    user = first;
    connection = sockets.connect(remote, this);
  }

  /** Who hears of the connection from now on; null while no transfer uses it. */
  void use(@Nullable TcpHandler next) {
    user = next;
  }

  /** The connection; only while it is connected or connecting. */
  TcpConnection connection() {
    if (connection == null) {
      throw new IllegalStateException("not connected");
    }
    return connection;
  }

  boolean isAlive() {
    return alive;
  }

  void close() {
    if (connection != null && alive) {
      alive = false;
      connection.close();
    }
  }

  @Override
  public void connected(TcpConnection to) {
    if (user != null) {
      user.connected(to);
    }
  }

  @Override
  public void data(TcpConnection from, byte[] bytes, int offset, int count) {
    if (user != null) {
      user.data(from, bytes, offset, count);
    }
  }

  @Override
  public void writable(TcpConnection to) {
    if (user != null) {
      user.writable(to);
    }
  }

  @Override
  public void peerClosed(TcpConnection from) {
    if (user != null) {
      user.peerClosed(from);
    } else {
      close();
    }
  }

  @Override
  public void failed(TcpConnection from, SocketError error) {
    alive = false;
    if (user != null) {
      user.failed(from, error);
    }
  }

  @Override
  public void closed(TcpConnection from) {
    alive = false;
  }
}
