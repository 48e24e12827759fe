package dev.paramecium.container.stack;

import org.jspecify.annotations.Nullable;

/** TIME-WAIT: the little that must be known of a closed connection for 60 s (RFC 9293, 3.6.1). */
final class TimeWait extends Connection {

  /** TCP_TIMEWAIT_LEN. */
  static final long LENGTH = 60 * Context.SECOND;

  final int sendNext;
  final int receiveNext;
  final long since;
  boolean timestamps;
  int timestampOffset;
  int recentTimestamp;
  long deadline;

  /** Neighbours in {@link TimeWaits}. */
  @Nullable TimeWait previous;

  @Nullable TimeWait next;

  TimeWait(
      int localAddress,
      int localPort,
      int remoteAddress,
      int remotePort,
      int mark,
      int sendNext,
      int receiveNext,
      long now) {
    super(localAddress, localPort, remoteAddress, remotePort, mark);
    this.sendNext = sendNext;
    this.receiveNext = receiveNext;
    this.since = now;
    this.deadline = now + LENGTH;
  }

  /** What is left of a connection. */
  static TimeWait of(TcpSocket socket, long now) {
    TimeWait left =
        new TimeWait(
            socket.localAddress,
            socket.localPort,
            socket.remoteAddress,
            socket.remotePort,
            socket.mark,
            socket.sender.next(),
            socket.receiver.next(),
            now);
    left.timestamps = socket.timestamps;
    left.timestampOffset = socket.timestampOffset;
    left.recentTimestamp = socket.receiver.recentTimestamp;
    return left;
  }
}
