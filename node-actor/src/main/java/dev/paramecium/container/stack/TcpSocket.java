package dev.paramecium.container.stack;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import org.jspecify.annotations.Nullable;

/**
 * A connection: its states (RFC 9293, 3.3.2) between the two halves that move the data.
 *
 * <pre>
 *   process --write--> TcpSender --emit--> segment
 *
 *   segment --> SegmentArrival --+--> TcpSender.acknowledge
 *                                +--> TcpReceiver.segment --> process
 *                                `--> this: opened, closed, reset
 * </pre>
 */
final class TcpSocket extends Connection implements TcpConnection {

  /** net.ipv4.tcp_syn_retries and tcp_synack_retries. */
  static final int SYN_RETRIES = 6;

  static final int SYN_ACK_RETRIES = 5;

  /** net.ipv4.tcp_fin_timeout: how long a peer may keep its half open after close(2). */
  private static final long FIN_WAIT_2_TIMEOUT = 60 * Context.SECOND;

  final Tcp tcp;
  final TcpSender sender;
  final TcpReceiver receiver;
  final int timestampOffset;

  boolean timestamps;
  boolean sack;

  /** Null for a connection that this side opened, or once it is accepted. */
  @Nullable TcpListenSocket listener;

  /** Its name on the whole node. */
  private final long cookie;

  private final Context context;
  private final SegmentArrival arrival;
  private final MappedConnection mapped;

  /** For the handshake's answer, or in FIN-WAIT-2 for the peer's FIN. */
  private final Timers.Timer stateTimer = new Timers.Timer(this::stateTimeout);

  private Destination path;
  private TcpState state;
  private @Nullable TcpHandler handler;
  private boolean closedByProcess;
  private boolean peerClosedTold;
  private boolean finished;
  private @Nullable SocketError softError;
  private int peerMss = 536;
  private int nextIdentification;
  private long handshakeSentAt;
  private boolean ackQueued;
  private boolean resumeQueued;

  private boolean scaled = true;

  private @Nullable KeepAlive keepAlive;
  private long lastHeardAt;

  TcpSocket(
      Tcp tcp,
      Context context,
      Destination path,
      int local,
      int localPort,
      int remotePort,
      int mark,
      long cookie) {
    super(local, localPort, path.address, remotePort, mark);
    this.tcp = tcp;
    this.cookie = cookie;
    this.context = context;
    this.path = path;
    this.state = TcpState.CLOSED;
    this.sender = new TcpSender(this, context);
    this.receiver = new TcpReceiver(this, context);
    this.arrival = new SegmentArrival(this, context);
    this.mapped = new MappedConnection(this, context);
    this.timestampOffset = tcp.timestampOffset(local, path.address);
    this.nextIdentification = context.random.nextInt();
    this.lastHeardAt = context.now;
  }

  TcpState state() {
    return state;
  }

  TcpHandler handler() {
    TcpHandler known = handler;
    if (known == null) {
      throw new IllegalStateException("a connection that is not accepted has no process");
    }
    return known;
  }

  /** When the last segment came. */
  long lastHeardAt() {
    return lastHeardAt;
  }

  boolean isOrphan() {
    return closedByProcess;
  }

  boolean isReleased() {
    return state == TcpState.CLOSED;
  }

  /** SYN leaves: CLOSED to SYN-SENT. */
  void open(int iss, TcpHandler process) {
    handler = process;
    sender.start(iss);
    timestamps = true;
    sack = true;
    state = TcpState.SYN_SENT;
    sendSyn();
  }

  /** A SYN came to a listener: LISTEN to SYN-RECEIVED. */
  void accept(TcpListenSocket from, int iss, TcpSegment syn) {
    listener = from;
    sender.start(iss);
    negotiate(syn);
    state = TcpState.SYN_RECEIVED;
    sendSyn();
  }

  /** What the two SYNs agree on. */
  void negotiate(TcpSegment syn) {
    receiver.start(syn.seq);
    peerMss = syn.mss == 0 ? 536 : Math.max(64, syn.mss);
    timestamps = syn.hasTimestamps;
    sack = syn.sackPermitted;
    if (syn.windowShift >= 0) {
      sender.windowShift = syn.windowShift;
      receiver.windowShift = TcpReceiver.WINDOW_SHIFT;
    }
    scaled = syn.windowShift >= 0;
    if (timestamps) {
      receiver.startTimestamps(syn.timestamp);
    }
  }

  private void sendSyn() {
    handshakeSentAt = context.now;
    tcp.output.syn(this);
    context.timers.set(stateTimer, context.now + sender.roundTrip().rto(sender.backoff()));
  }

  private void stateTimeout() {
    switch (state) {
      case SYN_SENT, SYN_RECEIVED -> handshakeTimeout();
      case FIN_WAIT_2 -> end(null);
      case ESTABLISHED, FIN_WAIT_1, CLOSE_WAIT, CLOSING, LAST_ACK, CLOSED -> {}
    }
  }

  private void handshakeTimeout() {
    int retries = state == TcpState.SYN_SENT ? SYN_RETRIES : SYN_ACK_RETRIES;
    if (sender.noteHandshakeTimeout() > retries) {
      context.count(Counter.TCP_ATTEMPT_FAILS);
      timedOut();
      return;
    }
    context.count(Counter.TCP_RETRANSMITTED);
    context.count(Counter.TCP_TIMEOUTS);
    tcp.output.syn(this);
    context.timers.set(stateTimer, context.now + sender.roundTrip().rto(sender.backoff()));
  }

  /** A segment for this connection; its checksum is right. May call the process. */
  void receive(TcpSegment s) {
    lastHeardAt = context.now;
    arrival.segment(s);
  }

  /**
   * The peer answered our SYN with one of its own that acknowledges nothing: both opened at once.
   */
  void synReceived() {
    state = TcpState.SYN_RECEIVED;
    sendSyn();
  }

  /** Our SYN is acknowledged by one of the peer's. */
  void synAcknowledged(TcpSegment s) {
    established(s);
    receiver.offerInitialEdge();
    receiver.ackAtOnce();
    handler().connected(this);
    sender.output();
  }

  /** The peer's RST answers our SYN. */
  void refused() {
    context.count(Counter.TCP_ATTEMPT_FAILS);
    fail(SocketError.CONNECTION_REFUSED);
  }

  /** Data came for a process that closed: nobody will ever read it. */
  void abortOnData() {
    context.count(Counter.TCP_ABORT_ON_DATA);
    tcp.output.reset(this);
    end(null);
  }

  /** The handshake is complete with this segment. */
  void established(TcpSegment s) {
    long rtt = sender.backoff() == 0 ? context.now - handshakeSentAt : 0;
    if (rtt == 0 && timestamps && s.hasTimestamps && s.timestampEcho != 0) {
      rtt = Math.max(1, timestampNow() - s.timestampEcho) * Context.MILLISECOND;
    }
    context.timers.remove(stateTimer);
    state = sender.isFinishing() ? TcpState.FIN_WAIT_1 : TcpState.ESTABLISHED;
    sender.established(s, segmentSize(), rtt);
    confirmNextHop();
    mapped.enter();
  }

  /** Whether a write that took less than it was given may be repeated; says so once. */
  boolean takeRoomEvent() {
    boolean landed = mapped.takeLanded();
    return sender.takeRoomEvent() || landed;
  }

  /** Answers false if the process ended the connection at once, or nobody listens any more. */
  boolean tellEstablished() {
    TcpListenSocket from = listener;
    if (from != null) {
      listener = null;
      context.count(Counter.TCP_PASSIVE_OPENS);
      handler = from.accepted(this);
    } else {
      handler().connected(this);
    }
    sender.output();
    return state != TcpState.CLOSED;
  }

  /** What happens once FIN is acknowledged; true if the connection is over. */
  boolean finAcknowledged() {
    if (!sender.finAcknowledged()) {
      return false;
    }
    switch (state) {
      case FIN_WAIT_1 -> {
        state = TcpState.FIN_WAIT_2;
        if (closedByProcess) {
          startFinWait2Timer();
        }
      }
      case CLOSING -> {
        enterTimeWait();
        return true;
      }
      case LAST_ACK -> {
        tcp.remove(this);
        finish();
        return true;
      }
      case SYN_SENT, SYN_RECEIVED, ESTABLISHED, FIN_WAIT_2, CLOSE_WAIT, CLOSED -> {}
    }
    return false;
  }

  /** A RST whose sequence number proves that the peer sent it. */
  void resetByPeer() {
    if (state == TcpState.SYN_RECEIVED) {
      context.count(Counter.TCP_ATTEMPT_FAILS);
      if (listener != null) {
        release();
        return;
      }
      fail(SocketError.CONNECTION_REFUSED);
      return;
    }
    if (state == TcpState.CLOSING || state == TcpState.LAST_ACK) {
      tcp.remove(this); // both sides had finished: the peer forgot us before its ACK came
      finish();
      return;
    }
    context.count(Counter.TCP_ESTABLISHED_RESETS);
    fail(state == TcpState.CLOSE_WAIT ? SocketError.BROKEN_PIPE : SocketError.CONNECTION_RESET);
  }

  /** The peer's FIN is in order. */
  void peerFinished(boolean everythingRead) {
    switch (state) {
      case ESTABLISHED -> state = TcpState.CLOSE_WAIT;
      case FIN_WAIT_1 -> state = TcpState.CLOSING;
      case FIN_WAIT_2 -> {
        sendAck();
        if (everythingRead || closedByProcess) {
          tellPeerClosed();
        }
        if (state == TcpState.FIN_WAIT_2) {
          enterTimeWait();
        }
        return;
      }
      case SYN_SENT, SYN_RECEIVED, CLOSE_WAIT, CLOSING, LAST_ACK, CLOSED -> {}
    }
    if (everythingRead) {
      tellPeerClosed();
    }
  }

  void tellPeerClosed() {
    if (!peerClosedTold && !closedByProcess) {
      peerClosedTold = true;
      handler().peerClosed(this);
    }
  }

  /** Nothing was heard for too long. */
  void timedOut() {
    context.count(Counter.TCP_ABORT_ON_TIMEOUT);
    SocketError reason = softError;
    fail(reason == null ? SocketError.TIMED_OUT : reason);
  }

  /** The peer answers no keepalive probe. */
  void abandon() {
    tcp.output.reset(this);
    timedOut();
  }

  /** An ICMP error about one of this connection's segments; {@code seq} is what it quotes. */
  void icmpError(IcmpError error, int seq) {
    boolean ours = !Seq.before(seq, sender.unacknowledged()) && !Seq.after(seq, sender.next());
    if (!ours) {
      return;
    }
    if (error.isFragmentationNeeded()) {
      tcp.learnPathMtu(error);
      sender.output();
      return;
    }
    if (state == TcpState.SYN_SENT) {
      context.count(Counter.TCP_ATTEMPT_FAILS);
      fail(error.socketError());
    } else {
      softError = error.socketError();
    }
  }

  private void fail(SocketError error) {
    end(error);
  }

  /** The connection is gone; tells the process. */
  private void end(@Nullable SocketError error) {
    release();
    TcpHandler process = handler;
    if (error == null) {
      tellClosed();
    } else if (process != null && !finished) {
      finished = true;
      process.failed(this, error);
    }
  }

  private void enterTimeWait() {
    tcp.enterTimeWait(this);
    finish();
  }

  /** Both directions are closed and acknowledged; what was not read stays readable. */
  private void finish() {
    if (receiver.hasUnread() && !closedByProcess) {
      stop();
      return;
    }
    releaseResources();
    tellClosed();
  }

  /** The process has read everything of a connection that was over before. */
  void readToTheEnd() {
    receiver.release();
    tellClosed();
  }

  private void tellClosed() {
    TcpHandler process = handler;
    if (process != null && !finished) {
      finished = true;
      process.closed(this);
    }
  }

  /** Lets go of everything, quietly. */
  void release() {
    if (state != TcpState.CLOSED) {
      tcp.remove(this);
      releaseResources();
    }
  }

  private void releaseResources() {
    stop();
    receiver.release();
  }

  /** Ends everything but reading. */
  private void stop() {
    state = TcpState.CLOSED;
    TcpListenSocket from = listener;
    if (from != null) {
      listener = null;
      from.forget(this);
    }
    mapped.leave();
    sender.release();
    receiver.stop();
    context.timers.remove(stateTimer);
    KeepAlive probing = keepAlive;
    if (probing != null) {
      probing.stop();
    }
  }

  // ---- segments ----

  /** Milliseconds, the unit of the timestamps option, with this pair's offset. */
  int timestampNow() {
    return (int) (context.now / Context.MILLISECOND) + timestampOffset;
  }

  void confirmNextHop() {
    tcp.neighbours().confirm(path);
  }

  /** What one segment may carry: the path's MTU and the peer's MSS less the options. */
  int segmentSize() {
    path();
    int fits = path.mtu(context.now) - Headers.IPV4 - Headers.TCP;
    return Math.min(fits, peerMss) - (timestamps ? TcpOutput.TIMESTAMPS_LENGTH : 0);
  }

  /** How segments leave, as the route table has it now; null if there is no route any more. */
  @Nullable Destination path() {
    Destination current = tcp.refresh(path);
    if (current != null) {
      path = current;
    }
    return current;
  }

  /** The largest segment that this side takes: its route's MTU less the headers. */
  int offeredMss() {
    path();
    return path.mtu(context.now) - Headers.IPV4 - Headers.TCP;
  }

  /** Whether windows are scaled: offered in our SYN, and by the peer's. */
  boolean isScaled() {
    return scaled;
  }

  /** The identification of the next packet; a segment that is cut later takes several. */
  int takeIdentifications(int count) {
    int first = nextIdentification;
    nextIdentification += count;
    return first & 0xffff;
  }

  /** The most payload that one segment may carry if the device cuts it later, else 0. */
  int largestOffload() {
    return path.device.segmentationOffload && !path.local ? TcpOutput.LARGEST_PAYLOAD : 0;
  }

  void sendAck() {
    emit(sender.next(), 0, TcpSegment.ACK);
  }

  /** Acknowledges at the end of the batch of frames that is being received, or now. */
  void sendAckForBatch() {
    if (!tcp.isBatching()) {
      sendAck();
    } else if (!ackQueued) {
      ackQueued = true;
      tcp.ackAtEndOfBatch(this);
    }
  }

  void endOfBatch() {
    ackQueued = false;
    if (state.isSynchronized() && receiver.ackWaits()) {
      sendAck();
    }
  }

  /** Sends a segment; false if there was no buffer. */
  boolean emit(int seq, int size, int flags) {
    return tcp.output.segment(this, seq, size, flags);
  }

  // ---- socket calls ----

  @Override
  public SocketAddress local() {
    return new SocketAddress(new Ipv4Address(localAddress), localPort);
  }

  @Override
  public SocketAddress remote() {
    SocketAddress peer = new SocketAddress(new Ipv4Address(remoteAddress), remotePort);
    return context.hooks.getpeername(IpProtocol.TCP, cookie, local(), peer);
  }

  @Override
  public int write(byte[] bytes, int from, int count) {
    boolean opening = state == TcpState.SYN_SENT || state == TcpState.SYN_RECEIVED;
    if (closedByProcess || sender.isFinishing() || !(state.canSend() || opening)) {
      return 0;
    }
    context.tick();
    int redirected = mapped.write(bytes, from, count);
    return redirected >= 0 ? redirected : sender.write(bytes, from, count);
  }

  @Override
  public void shutdownWrite() {
    if (sender.isFinishing() || state == TcpState.CLOSED) {
      return;
    }
    context.tick();
    switch (state) {
      case ESTABLISHED -> state = TcpState.FIN_WAIT_1;
      case CLOSE_WAIT -> state = TcpState.LAST_ACK;
      case SYN_SENT, SYN_RECEIVED, FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK, CLOSED -> {}
    }
    sender.finish();
  }

  @Override
  public void close() {
    if (closedByProcess) {
      return;
    }
    context.tick();
    closedByProcess = true;
    mapped.leave();
    if (state == TcpState.CLOSED) {
      receiver.release();
      context.deferred.add(this::tellClosed);
      return;
    }
    if (state == TcpState.SYN_SENT) {
      release();
      context.deferred.add(() -> end(null));
      return;
    }
    boolean redirectedUnread = receiver.closeIngress();
    if (redirectedUnread || receiver.hasUnread()) {
      tcp.output.reset(this);
      release();
      context.deferred.add(() -> end(null));
      return;
    }
    if (state == TcpState.FIN_WAIT_2) {
      startFinWait2Timer();
    }
    shutdownWrite();
  }

  @Override
  public void abort() {
    finished = true;
    if (state == TcpState.CLOSED) {
      receiver.release();
      return;
    }
    context.tick();
    if (state != TcpState.SYN_SENT) {
      tcp.output.reset(this);
    }
    release();
  }

  @Override
  public void pauseReading() {
    receiver.pause();
  }

  @Override
  public void resumeReading() {
    if (receiver.isPaused()) {
      receiver.resume();
      if (!resumeQueued) {
        resumeQueued = true;
        context.deferred.add(this::readOn);
      }
    }
  }

  private void readOn() {
    resumeQueued = false;
    if (!receiver.isPaused() && !closedByProcess) {
      receiver.readOn();
    }
  }

  @Override
  public void setNoDelay(boolean on) {
    context.tick();
    sender.setNoDelay(on);
  }

  @Override
  public void setKeepAlive(long idleMs, long intervalMs, int count) {
    context.tick();
    KeepAlive known = keepAlive;
    if (known == null) {
      known = new KeepAlive(this, context);
      keepAlive = known;
    }
    known.set(idleMs, intervalMs, count);
  }

  private void startFinWait2Timer() {
    context.timers.set(stateTimer, context.now + FIN_WAIT_2_TIMEOUT);
  }
}
