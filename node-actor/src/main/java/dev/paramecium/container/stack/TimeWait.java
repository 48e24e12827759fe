package dev.paramecium.container.stack;

import org.jspecify.annotations.Nullable;

/** TIME-WAIT: the little that must be known of a closed connection for 60 s (RFC 9293, 3.6.1). */
final class TimeWait extends Connection {

  /** TCP_TIMEWAIT_LEN. */
  static final long LENGTH = 60 * Context.SECOND;

  final int sendNext;
  final int receiveNext;
  final boolean timestamps;
  final int timestampOffset;
  final long since;
  int recentTimestamp;
  long deadline;

  /** Neighbours in {@link TimeWaits}. */
  @Nullable TimeWait previous;

  @Nullable TimeWait next;

  TimeWait(TcpSocket socket, long now) {
    super(socket.localAddress, socket.localPort, socket.remoteAddress, socket.remotePort);
    this.sendNext = socket.sender.next();
    this.receiveNext = socket.receiver.next();
    this.timestamps = socket.timestamps;
    this.timestampOffset = socket.timestampOffset;
    this.recentTimestamp = socket.receiver.recentTimestamp;
    this.since = now;
    this.deadline = now + LENGTH;
  }
}
