package dev.paramecium.container.probe;

import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import java.util.Locale;

/** Errors of the network as Go's net package words them. */
final class GoError {

  private GoError() {}

  /** {@code dial tcp 10.0.0.5:80: connect: connection refused}. */
  static String dial(SocketAddress remote, SocketError error) {
    return error == SocketError.TIMED_OUT
        ? dialTimeout(remote)
        : "dial tcp " + remote + ": connect: " + errno(error);
  }

  static String dialTimeout(SocketAddress remote) {
    return "dial tcp " + remote + ": i/o timeout";
  }

  /** {@code read tcp 10.0.0.1:4711->10.0.0.5:80: read: connection reset by peer}. */
  static String read(SocketAddress local, SocketAddress remote, SocketError error) {
    return "read tcp " + local + "->" + remote + ": read: " + errno(error);
  }

  private static String errno(SocketError error) {
    return error.text().toLowerCase(Locale.ROOT);
  }
}
