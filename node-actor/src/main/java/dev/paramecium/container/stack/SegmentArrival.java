package dev.paramecium.container.stack;

/**
 * What a segment means to the connection that it arrives at: "SEGMENT ARRIVES" of RFC 9293, 3.10.7,
 * with the checks of RFC 5961 and RFC 7323.
 *
 * <pre>
 *   SYN-SENT     answer to our SYN
 *   the others   timestamp, sequence number, RST, SYN, ACK, then data and FIN
 * </pre>
 */
final class SegmentArrival {

  /** net.ipv4.tcp_invalid_ratelimit. */
  private static final long INVALID_RATE_LIMIT = 500 * Context.MILLISECOND;

  private final TcpSocket socket;
  private final Context context;
  private final TcpSender sender;
  private final TcpReceiver receiver;

  private long lastInvalidAckAt = -INVALID_RATE_LIMIT;

  SegmentArrival(TcpSocket socket, Context context) {
    this.socket = socket;
    this.context = context;
    this.sender = socket.sender;
    this.receiver = socket.receiver;
  }

  void segment(TcpSegment s) {
    receiver.readIngress(); // what was redirected was sent before this segment
    TcpState state = socket.state();
    if (state == TcpState.SYN_SENT) {
      synSent(s);
    } else if (state != TcpState.CLOSED) {
      synchronised(s);
    }
    if (!socket.isReleased() && socket.takeRoomEvent() && socket.state().canSend()) {
      socket.handler().writable(socket);
    }
    if (socket.state().isSynchronized()) {
      receiver.acknowledgeIfDue();
    }
  }

  /** RFC 9293, 3.10.7.3. */
  private void synSent(TcpSegment s) {
    boolean ack = s.has(TcpSegment.ACK);
    if (ack && s.ack != sender.next()) {
      if (!s.has(TcpSegment.RST)) {
        socket.tcp.output.resetFor(s);
      }
      return;
    }
    if (s.has(TcpSegment.RST)) {
      if (ack) {
        socket.refused();
      }
      return;
    }
    if (!s.has(TcpSegment.SYN)) {
      return;
    }
    socket.negotiate(s);
    if (!ack) {
      socket.synReceived();
      return;
    }
    socket.synAcknowledged(s);
    if (socket.state().canReceive() && s.length() > 1) {
      receiver.noteSegmentSize(s.unit);
      receiver.segment(s.seq + 1, s.bytes, s.dataAt, s.dataLength, s.has(TcpSegment.FIN));
    }
  }

  /** RFC 9293, 3.10.7.4, with the checks of RFC 5961 and RFC 7323. */
  private void synchronised(TcpSegment s) {
    boolean reset = s.has(TcpSegment.RST);
    if (socket.timestamps && !reset) {
      if (!s.hasTimestamps) {
        context.count(Counter.TCP_IN_ERRORS);
        return;
      }
      if (receiver.isOldByTimestamp(s)) {
        context.count(Counter.TCP_PAWS_REJECTED);
        answerInvalid(s);
        return;
      }
    }
    if (!receiver.isAcceptable(s)) {
      context.count(Counter.TCP_OUT_OF_WINDOW);
      if (socket.state() == TcpState.SYN_RECEIVED
          && s.has(TcpSegment.SYN)
          && !s.has(TcpSegment.ACK)
          && s.seq == receiver.initialSeq()) {
        socket.tcp.output.syn(socket);
      } else if (!reset) {
        noteDuplicate(s);
        answerInvalid(s);
      }
      return;
    }
    if (reset) {
      if (s.seq == receiver.next()) {
        socket.resetByPeer();
      } else {
        challenge();
      }
      return;
    }
    if (s.has(TcpSegment.SYN)) {
      challenge();
      return;
    }
    if (!s.has(TcpSegment.ACK)) {
      return;
    }
    if (socket.timestamps) {
      receiver.noteTimestamp(s);
    }
    if (socket.state() == TcpState.SYN_RECEIVED) {
      if (s.ack != sender.next()) {
        socket.tcp.output.resetFor(s);
        return;
      }
      socket.established(s);
      if (!socket.tellEstablished()) {
        return;
      }
    } else {
      if (Seq.after(s.ack, sender.next())
          || Seq.before(s.ack, sender.unacknowledged() - sender.maxWindow())) {
        challenge();
        return;
      }
      sender.acknowledge(s);
      if (socket.isReleased() || socket.finAcknowledged()) {
        return;
      }
    }
    if (s.length() == 0) {
      return;
    }
    if (socket.isOrphan() && s.dataLength > 0 && Seq.after(s.end(), receiver.next())) {
      socket.abortOnData();
      return;
    }
    if (socket.state().canReceive()) {
      receiver.noteSegmentSize(s.unit);
      receiver.segment(s.seq, s.bytes, s.dataAt, s.dataLength, s.has(TcpSegment.FIN));
    } else {
      receiver.ackAtOnce();
    }
  }

  private void noteDuplicate(TcpSegment s) {
    if (s.dataLength > 0 && socket.sack) {
      receiver.reportDuplicate(s.seq, s.seq + s.dataLength);
    }
  }

  /**
   * An acknowledgement that tells an honest peer where we are; segments without data are limited.
   */
  private void answerInvalid(TcpSegment s) {
    if (socket.state() == TcpState.SYN_RECEIVED) {
      socket.sendAck();
      return;
    }
    if (s.dataLength == 0 && !s.has(TcpSegment.FIN)) {
      if (context.now - lastInvalidAckAt < INVALID_RATE_LIMIT) {
        return;
      }
      lastInvalidAckAt = context.now;
    }
    socket.sendAck();
  }

  /** RFC 5961: what could be forged is answered by where we are, at a limited rate. */
  private void challenge() {
    if (socket.tcp.mayChallenge()) {
      context.count(Counter.TCP_CHALLENGE_ACKS);
      socket.sendAck();
    }
  }
}
