package dev.paramecium.container.stack;

import dev.paramecium.container.socket.TcpHandler;
import org.jspecify.annotations.Nullable;

/** The receiving half of a connection: reassembly, window, and when to acknowledge. */
final class TcpReceiver {

  /** net.ipv4.tcp_rmem's default and maximum, as windows. */
  static final int INITIAL_LIMIT = 65535;

  static final int MAX_LIMIT = 4 << 20;

  /** Lets the largest window into 16 bits. */
  static final int WINDOW_SHIFT = 7;

  private static final long DELAYED_ACK = 40 * Context.MILLISECOND;

  /**
   * Segments at a connection's start that are acknowledged at once, as the peer is slow-starting.
   */
  private static final int QUICK_ACKS = 16;

  /** RFC 7323, 5.5: a timestamp this old no longer rejects anything. */
  private static final long TIMESTAMP_LIFETIME = 24L * 86_400 * Context.SECOND;

  /**
   * The tick of the timestamps option, by which Linux measures: on a path that is faster, batches
   * of segments arrive at once and say nothing about its round trip.
   */
  private static final long SHORTEST_ROUND_TRIP = Context.MILLISECOND;

  private final TcpSocket socket;
  private final Context context;
  private final ReceiveBuffer buffer = new ReceiveBuffer();

  /** What came past the devices; all of it was sent after what {@link #buffer} has. */
  private @Nullable IngressQueue ingress;

  private final Timers.Timer delayedAck = new Timers.Timer(this::delayedAckDue);

  int recentTimestamp;
  private long recentTimestampAt;
  private int initialSeq;

  /** What the last segment acknowledged, and the right edge of the window that it offered. */
  private int lastAck;

  private int edge;

  /** Scale of the windows that this side offers. */
  int windowShift;

  private int limit = INITIAL_LIMIT;
  private boolean paused;
  private boolean finReceived;
  private boolean delivering;
  private boolean released;

  /** The largest segment seen: the unit of "every second segment". */
  private int segmentSize = 536;

  private int quickAcks = QUICK_ACKS;
  private boolean ackNow;
  private boolean ackPending;
  private boolean hasDuplicate;
  private int duplicateLeft;
  private int duplicateRight;

  private int measureEnd;
  private long measureSince;
  private long arrivalRtt;
  private long spaceSince;
  private int spaceRead;

  TcpReceiver(TcpSocket socket, Context context) {
    this.socket = socket;
    this.context = context;
  }

  /** The peer's SYN came. */
  void start(int irs) {
    initialSeq = irs;
    buffer.reset(irs + 1);
    lastAck = irs + 1;
    edge = irs + 1;
    measureEnd = irs + 1 + INITIAL_LIMIT;
    measureSince = context.now;
    spaceSince = context.now;
  }

  int initialSeq() {
    return initialSeq;
  }

  /** RCV.NXT: behind what is in order, FIN included. */
  int next() {
    return finReceived ? buffer.next() + 1 : buffer.next();
  }

  /** Bytes in order that the process has not taken. */
  int unread() {
    return buffer.readable();
  }

  boolean hasUnread() {
    IngressQueue queue = ingress;
    return buffer.readable() > 0 || queue != null && !queue.isEmpty();
  }

  /** Makes the queue for what will come past the devices. */
  IngressQueue openIngress() {
    IngressQueue queue = new IngressQueue(() -> context.executor.execute(this::ingressArrived));
    ingress = queue;
    return queue;
  }

  /** Takes nothing past the devices any more; answers whether something was not read. */
  boolean closeIngress() {
    IngressQueue queue = ingress;
    return queue != null && queue.close();
  }

  private void ingressArrived() {
    context.tick();
    readIngress();
  }

  /** Hands over what came past the devices. */
  void readIngress() {
    IngressQueue queue = ingress;
    if (queue != null) {
      queue.reading();
      drain();
    }
  }

  /** RFC 9293, 3.10.7.4: whether any of the segment is in the window. */
  boolean isAcceptable(TcpSegment s) {
    int next = next();
    if (edge - next <= 0) {
      return s.seq == next; // no data fits, but its ACK and RST count
    }
    int length = s.length();
    if (length == 0) {
      return !Seq.before(s.seq, next) && !Seq.after(s.seq, edge);
    }
    return Seq.before(s.seq, edge) && Seq.after(s.seq + length, next);
  }

  /** RFC 7323, 5.3: an old duplicate by its timestamp. */
  boolean isOldByTimestamp(TcpSegment s) {
    return s.hasTimestamps
        && Seq.before(s.timestamp, recentTimestamp)
        && context.now - recentTimestampAt < TIMESTAMP_LIFETIME;
  }

  void noteTimestamp(TcpSegment s) {
    if (s.hasTimestamps
        && !Seq.after(s.seq, lastAck)
        && !Seq.before(s.timestamp, recentTimestamp)) {
      recentTimestamp = s.timestamp;
      recentTimestampAt = context.now;
    }
  }

  void startTimestamps(int timestamp) {
    recentTimestamp = timestamp;
    recentTimestampAt = context.now;
  }

  /** The largest segment is the unit of "every second segment", however many come at once. */
  void noteSegmentSize(int size) {
    segmentSize = Math.max(segmentSize, size);
  }

  /**
   * Takes the data and the FIN of an acceptable segment. May call the process.
   *
   * @param seq the first byte's sequence number
   */
  void segment(int seq, byte[] bytes, int at, int length, boolean fin) {
    int next = next();
    int skip = Seq.before(seq, next) ? Math.min(next - seq, length) : 0;
    int first = seq + skip;
    int end = seq + length;
    boolean finFits = fin && !Seq.after(end + 1, edge);
    if (Seq.after(end, edge)) {
      end = edge;
    }
    int count = Math.max(0, end - first);
    if (length > 0 && skip == length) {
      duplicate(seq, end);
    } else if (count > 0) {
      if (first == next) {
        inOrder(bytes, at + skip, count);
      } else {
        outOfOrder(first, bytes, at + skip, count);
      }
    } else if (length > 0) {
      ackNow = true;
    }
    if (socket.state() == TcpState.CLOSED) {
      return;
    }
    if (finFits && !finReceived && seq + length == next()) {
      finReceived = true;
      ackNow = true;
      socket.peerFinished(!hasUnread());
    } else if (fin) {
      ackNow = true;
    }
  }

  /** DSACK (RFC 2883) for what had arrived before. */
  void reportDuplicate(int left, int right) {
    hasDuplicate = true;
    duplicateLeft = left;
    duplicateRight = right;
  }

  private void duplicate(int left, int right) {
    context.count(Counter.TCP_DUPLICATES_IN);
    reportDuplicate(left, right);
    ackNow = true;
  }

  private void inOrder(byte[] bytes, int at, int count) {
    boolean filled = buffer.hasIslands();
    ackPending = true;
    if (paused || delivering || buffer.readable() > 0) {
      buffer.append(bytes, at, count);
    } else {
      buffer.bypass(count);
      read(count);
      deliver(bytes, at, count);
    }
    if (filled) {
      ackNow = true;
    }
    drain();
    measure();
  }

  private void outOfOrder(int seq, byte[] bytes, int at, int count) {
    int stored = buffer.insert(seq, bytes, at, count);
    ackNow = true;
    if (stored < 0) {
      context.count(Counter.TCP_OUT_OF_ORDER_DROPPED);
    } else if (stored == 0) {
      duplicate(seq, seq + count);
    } else {
      context.count(Counter.TCP_OUT_OF_ORDER_QUEUED);
      quickAcks = Math.max(quickAcks, 2);
    }
  }

  private void deliver(byte[] bytes, int at, int count) {
    TcpHandler handler = socket.handler();
    delivering = true;
    handler.data(socket, bytes, at, count);
    delivering = false;
  }

  /** Hands what is readable to the process until it pauses. */
  private void drain() {
    while (!paused && buffer.contiguous() > 0 && !released) {
      int count = buffer.contiguous();
      byte[] ring = buffer.ring();
      int at = buffer.readAt();
      buffer.consume(count);
      read(count);
      deliver(ring, at, count);
    }
    IngressQueue queue = ingress;
    while (queue != null && !paused && !released) {
      int count = queue.lend();
      if (count == 0) {
        break;
      }
      deliver(queue.lent(), queue.lentAt(), count);
      queue.giveBack();
    }
  }

  void pause() {
    paused = true;
  }

  boolean isPaused() {
    return paused;
  }

  void resume() {
    paused = false;
  }

  /** The process reads again: hands over what waited, and tells the peer of the room. */
  void readOn() {
    drain();
    if (released || paused) {
      return;
    }
    if (finReceived) {
      socket.tellPeerClosed();
    }
    if (socket.isReleased()) {
      socket.readToTheEnd();
    } else if (edge - next() < target() / 2 && roomToOffer() > edge) {
      socket.sendAck();
    }
  }

  private int roomToOffer() {
    return next() + target();
  }

  /** Bytes of window that the buffer has room for. */
  private int target() {
    return Math.max(0, limit - buffer.readable());
  }

  /** Dynamic right-sizing: the window follows what the process reads in a round trip. */
  private void read(int count) {
    spaceRead += count;
    if (arrivalRtt == 0 || context.now - spaceSince < arrivalRtt) {
      return;
    }
    long wanted = 2L * spaceRead + 16L * segmentSize;
    if (wanted > limit) {
      limit = (int) Math.min(MAX_LIMIT, wanted);
    }
    spaceRead = 0;
    spaceSince = context.now;
  }

  /** A round trip, as the receiver sees it, is the time in which a window arrives. */
  private void measure() {
    if (Seq.before(next(), measureEnd)) {
      return;
    }
    long sample = Math.max(SHORTEST_ROUND_TRIP, context.now - measureSince);
    arrivalRtt = arrivalRtt == 0 ? sample : Math.min(arrivalRtt, sample);
    measureEnd = next() + Math.max(segmentSize, edge - next());
    measureSince = context.now;
  }

  /** Acknowledges, or arms the timer, as RFC 9293, 3.8.6.3 and RFC 5681, 4.2 have it. */
  void acknowledgeIfDue() {
    if (ackNow) {
      socket.sendAck();
    } else if (ackPending) {
      boolean second = next() - lastAck > segmentSize;
      if (quickAcks > 0 || second) {
        socket.sendAckForBatch();
      } else if (!delayedAck.isSet()) {
        context.timers.set(delayedAck, context.now + DELAYED_ACK);
      }
    }
  }

  boolean ackWaits() {
    return ackNow || ackPending;
  }

  void ackAtOnce() {
    ackNow = true;
  }

  private void delayedAckDue() {
    if (ackPending && !socket.isReleased()) {
      context.count(Counter.TCP_DELAYED_ACKS);
      socket.sendAck();
    }
  }

  /** A segment with ACK leaves: answers its window field, unscaled. */
  int offerWindow() {
    int next = next();
    int offered = Math.max(0, edge - next);
    int wanted = target();
    int least = Math.min(limit / 2, segmentSize);
    if (wanted < offered + least) {
      wanted = offered; // never shrink, and never open by slivers (RFC 9293, 3.8.6.2.2)
    }
    int field = Math.min(0xffff, wanted >>> windowShift);
    if (wanted == offered && field << windowShift < offered) {
      field = Math.min(0xffff, (offered + (1 << windowShift) - 1) >>> windowShift);
    }
    edge = Seq.max(edge, next + (field << windowShift));
    lastAck = next;
    if (quickAcks > 0 && ackPending) {
      quickAcks--;
    }
    ackNow = false;
    ackPending = false;
    context.timers.clear(delayedAck);
    return field;
  }

  /** The window field of a SYN, which is never scaled. */
  int offerInitialWindow() {
    int window = Math.min(0xffff, limit);
    edge = next() + window;
    lastAck = next();
    return window;
  }

  /** This side's SYN offered this window before it knew the peer's sequence numbers. */
  void offerInitialEdge() {
    edge = next() + INITIAL_LIMIT;
  }

  /** SACK blocks for the next segment, a duplicate's first (RFC 2883). */
  int blocks(int[] left, int[] right, int most) {
    if (!hasDuplicate) {
      return buffer.blocks(left, right, most);
    }
    hasDuplicate = false;
    int count = buffer.blocks(left, right, most - 1);
    System.arraycopy(left, 0, left, 1, count);
    System.arraycopy(right, 0, right, 1, count);
    left[0] = duplicateLeft;
    right[0] = duplicateRight;
    return count + 1;
  }

  boolean hasBlocks() {
    return hasDuplicate || buffer.hasIslands();
  }

  /** The connection is over, but the process may still read what came before. */
  void stop() {
    context.timers.remove(delayedAck);
    ackNow = false;
    ackPending = false;
  }

  void release() {
    stop();
    released = true;
    closeIngress();
    buffer.discard();
  }
}
