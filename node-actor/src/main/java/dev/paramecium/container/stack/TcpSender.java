package dev.paramecium.container.stack;

import org.jspecify.annotations.Nullable;

/**
 * The sending half of a connection: what may be sent when, retransmission, probes.
 *
 * <pre>
 *   una ......... nxt ......... una + window
 *   | in queue    | unsent      |              buffer: una .. end, then FIN
 * </pre>
 */
final class TcpSender {

  /** net.ipv4.tcp_wmem. */
  static final int INITIAL_LIMIT = 128 << 10;

  static final int MAX_LIMIT = 4 << 20;

  /** net.ipv4.tcp_retries2 = 15 doublings of 200 ms, the longest 120 s: 924.6 s. */
  private static final long GIVE_UP = 924_600 * Context.MILLISECOND;

  /** After close(2), as tcp_orphan_retries = 8: 102.2 s. */
  private static final long GIVE_UP_ORPHAN = 102_200 * Context.MILLISECOND;

  private static final int MAX_WINDOW_PROBES = 15;

  /**
   * A window goes in at least so many pieces, as tcp_tso_autosize sees to by pacing: a connection
   * with a small window lives from many acknowledgements.
   */
  private static final int PIECES = 4;

  /** Two ticks of a kernel with HZ=250. */
  private static final long LOSS_PROBE_MARGIN = 8 * Context.MILLISECOND;

  /** What the timer waits for. */
  private enum Waiting {
    NOTHING,
    RETRANSMISSION,
    LOSS_PROBE,
    REORDERING,
    WINDOW_PROBE
  }

  private final TcpSocket socket;
  private final Context context;
  private final SendBuffer buffer = new SendBuffer();
  private final SegmentQueue queue = new SegmentQueue();
  private final RoundTrip roundTrip = new RoundTrip();
  private final LossRecovery recovery;
  private final Timers.Timer timer = new Timers.Timer(this::timeout);
  private @Nullable Cubic cubic;

  private int iss;
  private int una;
  private int nxt;
  private int window;
  private int maxWindow;
  private int windowSeq;
  private int windowAck;

  /** Scale of the windows that the peer offers. */
  int windowShift;

  private int mss = 536;
  private boolean noDelay;
  private boolean finQueued;
  private boolean finSent;
  private boolean wantsRoom;

  /** The end of the last segment below full size: Minshall's variant of Nagle's algorithm. */
  private int smallEnd;

  private boolean windowLimited;

  private Waiting waiting = Waiting.NOTHING;
  private long restartedAt;
  private int backoff;
  private long firstTimeoutAt;
  private int windowProbes;
  private int probeBackoff;
  private long lastSentAt;

  TcpSender(TcpSocket socket, Context context) {
    this.socket = socket;
    this.context = context;
    this.recovery = new LossRecovery(socket, this, context);
  }

  void start(int initialSeq) {
    iss = initialSeq;
    una = initialSeq;
    nxt = initialSeq + 1;
    smallEnd = nxt;
    recovery.start(nxt);
    buffer.reset(nxt);
    queue.reset(nxt);
  }

  int initialSeq() {
    return iss;
  }

  /** SND.UNA. */
  int unacknowledged() {
    return una;
  }

  /** SND.NXT. */
  int next() {
    return nxt;
  }

  int maxWindow() {
    return maxWindow;
  }

  int backoff() {
    return backoff;
  }

  RoundTrip roundTrip() {
    return roundTrip;
  }

  SegmentQueue queue() {
    return queue;
  }

  Cubic congestion() {
    Cubic known = cubic;
    if (known == null) {
      known = new Cubic(mss);
      cubic = known;
    }
    return known;
  }

  /** SYN is acknowledged: {@code window} unscaled, as in every SYN. */
  void established(TcpSegment s, int segmentSize, long handshakeRtt) {
    una = iss + 1;
    mss = segmentSize;
    cubic = new Cubic(mss);
    window = s.has(TcpSegment.SYN) ? s.window : s.window << windowShift;
    maxWindow = window;
    windowSeq = s.seq;
    windowAck = s.ack;
    if (handshakeRtt > 0) {
      roundTrip.sample(handshakeRtt);
    } else if (backoff > 0) {
      roundTrip.fallBack();
    }
    backoff = 0;
    lastSentAt = context.now;
    restartedAt = context.now;
  }

  /** The path's MTU may have changed: what is queued is cut to fit, and sent again. */
  private void adaptToPath(Cubic control) {
    int segmentSize = socket.segmentSize();
    if (segmentSize == mss || segmentSize <= 0) {
      return;
    }
    boolean smaller = segmentSize < mss;
    mss = segmentSize;
    control.setMss(mss, smaller);
    if (smaller && !queue.isEmpty()) {
      queue.split(mss);
    }
  }

  int segmentSize() {
    return mss;
  }

  void setNoDelay(boolean on) {
    noDelay = on;
    if (on) {
      output();
    }
  }

  /** Takes bytes from the process; answers how many. */
  int write(byte[] bytes, int from, int count) {
    int limit = Math.clamp(2L * congestion().window(), INITIAL_LIMIT, MAX_LIMIT);
    int taken = buffer.write(bytes, from, count, limit);
    wantsRoom = taken < count;
    if (taken > 0 && socket.state().canSend()) {
      output();
    }
    return taken;
  }

  /** FIN goes out after everything that is buffered. */
  void finish() {
    finQueued = true;
    output();
  }

  boolean finAcknowledged() {
    return finSent && una == nxt;
  }

  /** Whether everything that was written is acknowledged. */
  boolean isIdle() {
    return buffer.size() == 0;
  }

  /** Bytes that the peer has not acknowledged. */
  int buffered() {
    return buffer.size();
  }

  boolean isFinishing() {
    return finQueued;
  }

  void copy(int seq, byte[] to, int at, int count) {
    buffer.copy(seq, to, at, count);
  }

  /** Whether a short write has room again; asks once. */
  boolean takeRoomEvent() {
    if (!wantsRoom || finQueued) {
      return false;
    }
    int limit = Math.clamp(2L * congestion().window(), INITIAL_LIMIT, MAX_LIMIT);
    if (limit - buffer.size() < limit / 3) {
      return false;
    }
    wantsRoom = false;
    return true;
  }

  /** Works in the ACK field, window and SACK blocks of an acceptable segment. */
  void acknowledge(TcpSegment s) {
    long now = context.now;
    int ack = s.ack;
    boolean advances = Seq.after(ack, una);
    if (Seq.before(ack, una)) {
      return; // an old acknowledgement: its window and blocks are old too
    }
    int oldWindow = window;
    if (Seq.before(windowSeq, s.seq) || (windowSeq == s.seq && !Seq.after(windowAck, ack))) {
      window = s.window << windowShift;
      maxWindow = Math.max(maxWindow, window);
      windowSeq = s.seq;
      windowAck = ack;
    }
    windowProbes = 0;
    if (window == 0) {
      firstTimeoutAt = 0; // a peer that answers with a closed window is alive
    }
    boolean wasLimited = windowLimited;
    int acked = ack - una;
    queue.beginAcknowledgement();
    boolean duplicate =
        !advances
            && s.dataLength == 0
            && window == oldWindow
            && !queue.isEmpty()
            && !s.has(TcpSegment.FIN);
    if (advances) {
      una = ack;
      buffer.dropBefore(ack);
      queue.acknowledge(ack, echo(s), now);
      restartedAt = now;
      backoff = 0;
      firstTimeoutAt = 0;
      socket.confirmNextHop();
    }
    boolean duplicateReported = socket.sack && blocks(s, ack, now);
    if (queue.rttSample() > 0) {
      roundTrip.sample(queue.rttSample());
    } else if (advances && s.hasTimestamps && s.timestampEcho != 0) {
      int elapsed = socket.timestampNow() - s.timestampEcho;
      if (elapsed >= 0 && elapsed < 120_000) {
        roundTrip.sample(Math.max(1L, elapsed) * Context.MILLISECOND);
      }
    }
    if (duplicate) {
      context.count(Counter.TCP_DUPLICATE_ACKS_IN);
    }
    if (advances || duplicate || queue.delivered() > 0) {
      recovery.acknowledged(s, acked, advances, duplicate, duplicateReported);
      if (advances && recovery.mayGrow(wasLimited)) {
        congestion().acknowledged(acked, now, roundTrip.smoothed());
      }
    }
    output();
  }

  /** When what caused this acknowledgement was sent, in milliseconds; now if it does not say. */
  private int echo(TcpSegment s) {
    int latest = socket.timestampNow();
    int echoed = s.hasTimestamps && s.timestampEcho != 0 ? s.timestampEcho : latest;
    return echoed - socket.timestampOffset;
  }

  /** Reads SACK blocks; answers whether the first reports a duplicate (RFC 2883). */
  private boolean blocks(TcpSegment s, int ack, long now) {
    boolean duplicateReported = false;
    for (int i = 0; i < s.sackCount; i++) {
      int left = s.sackLeft[i];
      int right = s.sackRight[i];
      if (!Seq.before(left, right)) {
        continue;
      }
      if (i == 0
          && (!Seq.after(right, ack)
              || (s.sackCount > 1
                  && !Seq.before(left, s.sackLeft[1])
                  && !Seq.after(right, s.sackRight[1])))) {
        duplicateReported = !Seq.before(left, una - Math.max(maxWindow, 1 << 16));
        continue;
      }
      if (!Seq.before(left, una) && !Seq.after(right, nxt)) {
        queue.sack(left, right, now);
      }
    }
    return duplicateReported;
  }

  /** Sends what may be sent, losses first, and sets the timer. */
  void output() {
    if (!socket.state().isSynchronized()) {
      return;
    }
    Cubic control = congestion();
    boolean heldBack = false;
    adaptToPath(control);
    if (queue.isEmpty()) {
      restartAfterIdle(control);
    }
    while (true) {
      int index = queue.nextLost();
      int inFlight = queue.inFlight();
      if (index >= 0) {
        if (inFlight > 0 && inFlight + mss > control.window()) {
          break;
        }
        if (!retransmit(index)) {
          break;
        }
        continue;
      }
      int size = sendable();
      if (size < 0) {
        break;
      }
      if (inFlight > 0 && inFlight + size > control.window()) {
        heldBack = true;
        break;
      }
      if (!sendNew(manyOf(size, control.window() - inFlight))) {
        break;
      }
    }
    windowLimited = heldBack || (control.inSlowStart() && queue.inFlight() * 2L > control.window());
    arm();
  }

  /**
   * As many full segments as may go in one piece, if the first may: by data, both windows and what
   * the device takes.
   *
   * @param room that the congestion window leaves
   */
  private int manyOf(int size, int room) {
    if (size != mss) {
      return size;
    }
    int unsent = buffer.end() - nxt;
    int usable = una + window - nxt;
    int piece = Math.min(socket.largestOffload(), congestion().window() / PIECES);
    int most = Math.min(Math.min(unsent, usable), Math.min(room, piece));
    return Math.max(1, most / mss) * mss;
  }

  private void restartAfterIdle(Cubic control) {
    long idle = context.now - lastSentAt;
    if (idle > roundTrip.rto() && buffer.end() != nxt && lastSentAt != 0) {
      control.idle((int) Math.min(31, idle / roundTrip.rto()));
      lastSentAt = context.now;
    }
  }

  /**
   * How many bytes of new data the next segment would carry by window, Nagle's algorithm and
   * silly-window avoidance (RFC 9293, 3.8.6.2.1): 0 for a lone FIN, -1 for no segment.
   */
  private int sendable() {
    if (finSent) {
      return -1;
    }
    int unsent = buffer.end() - nxt;
    int usable = una + window - nxt;
    if (unsent == 0) {
      return finQueued && usable > 0 ? 0 : -1;
    }
    int size = Math.min(Math.min(unsent, mss), usable);
    if (size <= 0) {
      return -1;
    }
    if (size < mss && !(size == unsent && finQueued)) {
      boolean smallInFlight = Seq.after(smallEnd, una);
      boolean wholeRest = size == unsent && (noDelay || !smallInFlight);
      if (!wholeRest && size < maxWindow / 2) {
        return -1;
      }
      if (size < unsent && size < maxWindow / 2) {
        return -1;
      }
    }
    return size;
  }

  private boolean sendNew(int size) {
    boolean last = size == buffer.end() - nxt;
    boolean fin = last && finQueued && una + window - nxt > size;
    int flags = TcpSegment.ACK | (last && size > 0 ? TcpSegment.PSH : 0);
    if (!socket.emit(nxt, size, fin ? flags | TcpSegment.FIN : flags)) {
      return size > mss && sendNew(mss);
    }
    if (queue.isEmpty()) {
      restartedAt = context.now;
    }
    int end = nxt + size + (fin ? 1 : 0);
    int seq = nxt;
    for (; size > mss && Seq.before(seq + mss, end); seq += mss) {
      queue.add(seq, seq + mss, context.now);
    }
    queue.add(seq, end, context.now);
    nxt = end;
    finSent |= fin;
    lastSentAt = context.now;
    if (size < mss) {
      smallEnd = end;
    }
    return true;
  }

  private boolean retransmit(int index) {
    int seq = queue.seq(index);
    if (seq != una && !Seq.before(seq, una + window)) {
      return false;
    }
    int end = queue.end(index);
    boolean fin = finSent && end == nxt;
    int size = end - seq - (fin ? 1 : 0);
    int flags = TcpSegment.ACK | (end == nxt && size > 0 ? TcpSegment.PSH : 0);
    if (!socket.emit(seq, size, fin ? flags | TcpSegment.FIN : flags)) {
      return false;
    }
    queue.retransmitted(index, context.now);
    recovery.retransmitted();
    lastSentAt = context.now;
    context.count(Counter.TCP_RETRANSMITTED);
    return true;
  }

  /** Sets the timer for what can happen next if the peer stays silent. */
  private void arm() {
    long now = context.now;
    if (queue.isEmpty()) {
      boolean blocked = buffer.end() != nxt && !finSent || finQueued && !finSent;
      if (!blocked) {
        waiting = Waiting.NOTHING;
        probeBackoff = 0;
        context.timers.clear(timer);
      } else if (waiting != Waiting.WINDOW_PROBE) {
        waiting = Waiting.WINDOW_PROBE;
        context.timers.set(timer, now + roundTrip.rto(probeBackoff));
      }
      return;
    }
    probeBackoff = 0;
    long deadline = restartedAt + roundTrip.rto(backoff);
    waiting = Waiting.RETRANSMISSION;
    if (recovery.lookAgainAt() != Timers.NONE && recovery.lookAgainAt() < deadline) {
      waiting = Waiting.REORDERING;
      deadline = recovery.lookAgainAt();
    } else if (socket.sack && recovery.mayProbe() && backoff == 0 && roundTrip.smoothed() > 0) {
      long patience = 2 * roundTrip.smoothed() + LOSS_PROBE_MARGIN;
      if (queue.size() == 1) {
        patience += RoundTrip.MIN_RTO;
      }
      if (now + patience < deadline) {
        waiting = Waiting.LOSS_PROBE;
        deadline = now + patience;
      }
    }
    context.timers.set(timer, Math.max(now, deadline));
  }

  private void timeout() {
    Waiting due = waiting;
    waiting = Waiting.NOTHING;
    switch (due) {
      case NOTHING -> {}
      case RETRANSMISSION -> retransmissionTimeout();
      case LOSS_PROBE -> lossProbe();
      case REORDERING -> {
        recovery.lookAgain();
        output();
      }
      case WINDOW_PROBE -> windowProbe();
    }
  }

  private void retransmissionTimeout() {
    long now = context.now;
    if (firstTimeoutAt == 0) {
      firstTimeoutAt = now;
    } else if (now - firstTimeoutAt >= (socket.isOrphan() ? GIVE_UP_ORPHAN : GIVE_UP)) {
      socket.timedOut();
      return;
    }
    context.count(Counter.TCP_TIMEOUTS);
    recovery.timedOut();
    backoff++;
    restartedAt = now;
    output();
  }

  /** RFC 8985, 7.3: something new, else the last segment again, to provoke an acknowledgement. */
  private void lossProbe() {
    context.count(Counter.TCP_LOSS_PROBES);
    int size = sendable();
    if (size > 0) {
      sendNew(size);
    } else {
      int tail = queue.tail();
      if (tail >= 0) {
        retransmit(tail);
      }
    }
    recovery.probeSent(size <= 0);
    restartedAt = context.now;
    arm();
  }

  /** RFC 9293, 3.8.6.1, as Linux: an old sequence number draws an acknowledgement and no data. */
  private void windowProbe() {
    windowProbes++;
    if (windowProbes > MAX_WINDOW_PROBES) {
      socket.timedOut();
      return;
    }
    int usable = una + window - nxt;
    int size = Math.min(Math.min(buffer.end() - nxt, mss), usable);
    if (size > 0) {
      sendNew(size);
    } else if (usable <= 0) {
      context.count(Counter.TCP_WINDOW_PROBES);
      socket.emit(una - 1, 0, TcpSegment.ACK);
    }
    probeBackoff++;
    output();
  }

  /** A SYN or SYN-ACK left: wait for its answer. */
  int noteHandshakeTimeout() {
    return ++backoff;
  }

  void release() {
    context.timers.remove(timer);
    waiting = Waiting.NOTHING;
    buffer.discard();
    queue.discard();
  }
}
