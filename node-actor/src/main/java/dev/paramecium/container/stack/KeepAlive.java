package dev.paramecium.container.stack;

/** SO_KEEPALIVE (RFC 9293, 3.8.4): asks a silent peer whether it is there. */
final class KeepAlive {

  private final TcpSocket socket;
  private final Context context;
  private final Timers.Timer timer = new Timers.Timer(this::timeout);
  private long idle;
  private long interval;
  private int count;
  private int probes;
  private long firstProbeAt;

  KeepAlive(TcpSocket socket, Context context) {
    this.socket = socket;
    this.context = context;
  }

  void set(long idleMs, long intervalMs, int probeCount) {
    if (idleMs <= 0 || intervalMs <= 0 || probeCount <= 0) {
      throw new IllegalArgumentException(
          "keepalive of "
              + idleMs
              + " ms, "
              + intervalMs
              + " ms, "
              + probeCount
              + " probes: each must be at least 1");
    }
    idle = idleMs * Context.MILLISECOND;
    interval = intervalMs * Context.MILLISECOND;
    count = probeCount;
    if (!socket.isReleased()) {
      context.timers.set(timer, socket.lastHeardAt() + idle);
    }
  }

  void stop() {
    context.timers.remove(timer);
  }

  private void timeout() {
    long now = context.now;
    if (probes > 0 && socket.lastHeardAt() >= firstProbeAt) {
      probes = 0;
    }
    if (!socket.sender.queue().isEmpty() || !socket.state().isSynchronized()) {
      context.timers.set(timer, now + idle); // retransmission would find a dead peer
    } else if (probes == 0 && now - socket.lastHeardAt() < idle) {
      context.timers.set(timer, socket.lastHeardAt() + idle);
    } else if (probes >= count) {
      socket.abandon();
    } else {
      if (probes == 0) {
        firstProbeAt = now;
      }
      probes++;
      context.count(Counter.TCP_KEEPALIVES);
      socket.emit(socket.sender.unacknowledged() - 1, 0, TcpSegment.ACK);
      context.timers.set(timer, now + interval);
    }
  }
}
