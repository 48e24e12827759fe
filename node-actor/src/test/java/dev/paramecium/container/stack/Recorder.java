package dev.paramecium.container.stack;

import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A process end that writes a given stream as fast as it may and keeps what it hears. */
class Recorder implements TcpHandler {

  final ByteArrayOutputStream received = new ByteArrayOutputStream();
  boolean connected;
  boolean peerClosed;
  boolean closed;
  @Nullable SocketError failure;
  @Nullable TcpConnection connection;

  private final byte[] toSend;
  private final boolean closeAfterwards;
  private int sent;

  Recorder() {
    this(new byte[0], false);
  }

  Recorder(byte[] toSend, boolean closeAfterwards) {
    this.toSend = toSend;
    this.closeAfterwards = closeAfterwards;
  }

  /** Where what was received differs from what was expected, -1 if nowhere. */
  int firstDifference(byte[] expected) {
    return Arrays.mismatch(received.toByteArray(), expected);
  }

  @Override
  public String toString() {
    return "connected "
        + connected
        + ", peerClosed "
        + peerClosed
        + ", closed "
        + closed
        + ", failure "
        + failure
        + ", received "
        + received.size();
  }

  boolean isOver() {
    return closed || failure != null;
  }

  TcpConnection connection() {
    if (connection == null) {
      throw new AssertionError("no connection");
    }
    return connection;
  }

  void push(TcpConnection to) {
    connection = to;
    sent += to.write(toSend, sent, toSend.length - sent);
    if (sent == toSend.length && closeAfterwards) {
      to.shutdownWrite();
    }
  }

  @Override
  public void connected(TcpConnection to) {
    connected = true;
    push(to);
  }

  @Override
  public void data(TcpConnection from, byte[] bytes, int at, int count) {
    received.write(bytes, at, count);
  }

  @Override
  public void writable(TcpConnection to) {
    push(to);
  }

  @Override
  public void peerClosed(TcpConnection from) {
    peerClosed = true;
    if (closeAfterwards) {
      push(from);
      if (sent == toSend.length) {
        from.close();
      }
    } else {
      from.close();
    }
  }

  @Override
  public void failed(TcpConnection on, SocketError error) {
    failure = error;
  }

  @Override
  public void closed(TcpConnection on) {
    closed = true;
  }
}
