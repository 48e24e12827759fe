package dev.paramecium.container.stack;

/**
 * Finds what was lost and moves between the phases of RFC 5681 and RFC 6582: by SACK and time (RFC
 * 6675, RFC 8985), by duplicate acknowledgements, by tail loss probes, by the retransmission timer;
 * and takes a reduction back that proves wrong (RFC 3522).
 *
 * <pre>
 *   OPEN --loss seen--> RECOVERY --everything sent until then acknowledged--> OPEN
 *   OPEN, RECOVERY --timeout--> LOSS --everything sent until then acknowledged--> OPEN
 * </pre>
 */
final class LossRecovery {

  /** RFC 5681's phases. */
  private enum Phase {
    OPEN,
    RECOVERY,
    LOSS
  }

  private final TcpSocket socket;
  private final TcpSender sender;
  private final SegmentQueue queue;
  private final Context context;
  private final SpuriousLoss undo = new SpuriousLoss();

  private Phase phase = Phase.OPEN;
  private int recoveryPoint;
  private int duplicateAcks;
  private long lookAgainAt = Timers.NONE;

  /** A tail loss probe is out for data up to {@link #probeEnd}. */
  private boolean probing;

  private int probeEnd;
  private boolean probeRetransmits;

  LossRecovery(TcpSocket socket, TcpSender sender, Context context) {
    this.socket = socket;
    this.sender = sender;
    this.queue = sender.queue();
    this.context = context;
  }

  void start(int next) {
    recoveryPoint = next;
  }

  /** When a segment would count as lost for its age alone; {@link Timers#NONE} if none would. */
  long lookAgainAt() {
    return lookAgainAt;
  }

  /** RFC 8985, 7.2: a probe only if none is out and nothing is known to be lost. */
  boolean mayProbe() {
    return phase == Phase.OPEN && !probing;
  }

  /** Whether the congestion window grows with what is acknowledged now. */
  boolean mayGrow(boolean wasLimited) {
    return phase != Phase.RECOVERY
        && (wasLimited || (phase == Phase.LOSS && sender.congestion().inSlowStart()));
  }

  /** An acknowledgement that says something new: its SACK blocks are in the queue already. */
  void acknowledged(
      TcpSegment s, int acked, boolean advances, boolean duplicate, boolean duplicateReported) {
    if (duplicateReported) {
      queue.retransmittedNeedlessly();
      undo.duplicateReported();
    }
    undoIfSpurious(s, advances);
    settleLossProbe(s.ack, duplicateReported);
    recover(s.ack, acked, advances, duplicate);
  }

  /** The time of {@link #lookAgainAt} has come. */
  void lookAgain() {
    recover(sender.unacknowledged(), 0, false, false);
  }

  /** The retransmission timer ran out: everything in flight counts as lost. */
  void timedOut() {
    boolean newLoss = phase != Phase.LOSS;
    sender.congestion().timeout(newLoss);
    if (newLoss) {
      undo.begin(socket.timestampNow());
    }
    phase = Phase.LOSS;
    recoveryPoint = sender.next();
    duplicateAcks = 0;
    probing = false;
    lookAgainAt = Timers.NONE;
    queue.markAllLost();
  }

  void retransmitted() {
    if (phase != Phase.OPEN) {
      undo.retransmitted();
    }
  }

  /** A tail loss probe left: new data, or the last segment again. */
  void probeSent(boolean retransmits) {
    probing = true;
    probeRetransmits = retransmits;
    probeEnd = sender.next();
  }

  /** Finds losses and moves between the phases of RFC 5681 and RFC 6582. */
  private void recover(int ack, int acked, boolean advances, boolean duplicate) {
    if (phase != Phase.OPEN && !Seq.before(ack, recoveryPoint)) {
      phase = Phase.OPEN;
      queue.forgetDuplicates();
      duplicateAcks = 0;
    }
    lookAgainAt = Timers.NONE;
    if (socket.sack) {
      if (!queue.isEmpty()) {
        lookAgainAt =
            queue.detectLosses(context.now, phase != Phase.OPEN, sender.roundTrip().smoothed());
      }
    } else if (advances) {
      duplicateAcks = 0;
      queue.deflate(acked, sender.segmentSize());
      if (phase == Phase.RECOVERY) {
        queue.markHeadLost();
      }
    } else if (duplicate) {
      duplicateAcks++;
      queue.duplicateAcknowledgement(sender.segmentSize());
      if (duplicateAcks == 3 && phase == Phase.OPEN && !Seq.before(ack, recoveryPoint)) {
        queue.markHeadLost();
      }
    }
    if (phase == Phase.OPEN && queue.hasLost()) {
      enterRecovery();
    }
  }

  private void enterRecovery() {
    context.count(socket.sack ? Counter.TCP_FAST_RECOVERIES : Counter.TCP_RENO_RECOVERIES);
    phase = Phase.RECOVERY;
    recoveryPoint = sender.next();
    undo.begin(socket.timestampNow());
    sender.congestion().reduce();
  }

  private void undoIfSpurious(TcpSegment s, boolean advances) {
    if (undo.isSpurious(s, advances)) {
      context.count(Counter.TCP_SPURIOUS_RECOVERIES);
      sender.congestion().undo();
      if (phase != Phase.OPEN) {
        queue.unmarkLost();
        phase = Phase.OPEN;
      }
    }
  }

  /** RFC 8985, 7.4: a probe that repaired a loss by itself hid it from congestion control. */
  private void settleLossProbe(int ack, boolean duplicateReported) {
    if (probing && !Seq.before(ack, probeEnd)) {
      probing = false;
      if (probeRetransmits && !duplicateReported && phase == Phase.OPEN) {
        sender.congestion().reduce();
      }
    }
  }
}
