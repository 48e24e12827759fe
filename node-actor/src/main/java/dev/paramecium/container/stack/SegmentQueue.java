package dev.paramecium.container.stack;

/**
 * Segments that were sent and not yet cumulatively acknowledged, in sequence order, with what SACK
 * (RFC 2018) told about each and when each was last sent. Finds losses by time and order of sending
 * (RACK, RFC 8985, section 6), which finds lost retransmissions too; without SACK, by counting
 * duplicate acknowledgements (RFC 6582).
 *
 * <pre>
 *   head                                                  tail
 *   [seq,end) LOST+RETRANSMITTED | [..) | [..) SACKED | [..)
 *   in flight = outstanding - sacked - lost + retransmitted
 * </pre>
 */
final class SegmentQueue {

  private static final int SACKED = 1;
  private static final int LOST = 2;

  /** A retransmission is on its way. */
  private static final int RETRANSMITTED = 4;

  /** Was retransmitted at least once: its acknowledgement is ambiguous (Karn). */
  private static final int EVER = 8;

  private static final int DUPLICATE_THRESHOLD = 3;

  private int[] seqs = new int[16];
  private int[] ends = new int[16];
  private long[] sentAt = new long[16];
  private byte[] flags = new byte[16];
  private int head;
  private int count;

  private int outstandingBytes;
  private int sackedBytes;
  private int sackedSegments;
  private int lostBytes;
  private int retransmittedBytes;

  /** Duplicate acknowledgements, each for a segment that left the network, without SACK. */
  private int renoSackedBytes;

  /** Segments before this index, counted from the head, are not lost-and-waiting. */
  private int lostHint;

  private int highestSacked;

  /** The segment sent last among those delivered: RACK.xmit_ts, RACK.end_seq, RACK.rtt. */
  private long rackSentAt;

  private int rackEnd;
  private long rackRtt;
  private long minRtt = Long.MAX_VALUE;
  private boolean reorderingSeen;
  private int reorderingFactor = 1;

  /** What the last acknowledgement delivered, by ACK and by SACK. */
  private int delivered;

  private long rttSample;

  void reset(int seq) {
    highestSacked = seq;
  }

  boolean isEmpty() {
    return count == 0;
  }

  int size() {
    return count;
  }

  int inFlight() {
    return Math.max(
        0, outstandingBytes - sackedBytes - renoSackedBytes - lostBytes + retransmittedBytes);
  }

  /** Whether a segment, or its retransmission, is on its way as far as is known. */
  boolean isInFlight(int index) {
    int flag = flags[slot(index)];
    return (flag & SACKED) == 0 && (flag & (LOST | RETRANSMITTED)) != LOST;
  }

  int outstanding() {
    return outstandingBytes;
  }

  boolean hasLost() {
    return nextLost() >= 0;
  }

  void add(int seq, int end, long now) {
    if (count == seqs.length) {
      grow();
    }
    int slot = slot(count);
    seqs[slot] = seq;
    ends[slot] = end;
    sentAt[slot] = now;
    flags[slot] = 0;
    count++;
    outstandingBytes += end - seq;
  }

  int seq(int index) {
    return seqs[slot(index)];
  }

  int end(int index) {
    return ends[slot(index)];
  }

  /** Before the ACK and SACK fields of one segment are worked in. */
  void beginAcknowledgement() {
    delivered = 0;
    rttSample = 0;
  }

  /** Bytes that the last acknowledgement told to have arrived. */
  int delivered() {
    return delivered;
  }

  /** The round trip of the last segment that was sent once and just delivered, 0 if none was. */
  long rttSample() {
    return rttSample;
  }

  /**
   * Everything before {@code ack} has arrived.
   *
   * @param echo when what caused the acknowledgement was sent, in milliseconds, as the timestamps
   *     option says; {@code now}'s if there is none
   */
  void acknowledge(int ack, int echo, long now) {
    while (count > 0 && !Seq.after(ends[head], ack)) {
      int bytes = ends[head] - seqs[head];
      if ((flags[head] & SACKED) != 0) {
        sackedBytes -= bytes;
        sackedSegments--;
      } else {
        boolean original = echo - (int) (sentAt[head] / Context.MILLISECOND) < 0;
        deliver(head, original, now);
        delivered += bytes;
      }
      forgetLoss(head, bytes);
      outstandingBytes -= bytes;
      head = head + 1 & seqs.length - 1;
      count--;
      lostHint = Math.max(0, lostHint - 1);
    }
    if (count > 0 && Seq.before(seqs[head], ack)) {
      int bytes = ack - seqs[head];
      if ((flags[head] & SACKED) != 0) {
        sackedBytes -= bytes;
      } else {
        delivered += bytes;
      }
      forgetLoss(head, bytes);
      int kept = flags[head];
      outstandingBytes -= bytes;
      seqs[head] = ack;
      flags[head] = (byte) kept;
    }
    if (Seq.before(highestSacked, ack)) {
      highestSacked = ack;
    }
    if (count == 0) {
      lostHint = 0;
      renoSackedBytes = 0;
      if (seqs.length > 256) {
        allocate(16);
      }
    }
  }

  /** The peer holds [left, right). */
  void sack(int left, int right, long now) {
    int index = firstFrom(left);
    for (; index < count; index++) {
      int slot = slot(index);
      if (Seq.after(ends[slot], right)) {
        return;
      }
      if ((flags[slot] & SACKED) == 0) {
        int bytes = ends[slot] - seqs[slot];
        deliver(slot, false, now);
        forgetLoss(slot, bytes);
        flags[slot] = (byte) (flags[slot] & EVER | SACKED);
        sackedBytes += bytes;
        sackedSegments++;
        delivered += bytes;
        if (Seq.after(ends[slot], highestSacked)) {
          highestSacked = ends[slot];
        }
      }
    }
  }

  /**
   * A segment was delivered: remember the one sent last, and whether it came out of order.
   *
   * @param original whether it is known that not the last retransmission arrived
   */
  private void deliver(int slot, boolean original, long now) {
    boolean ever = (flags[slot] & EVER) != 0;
    long rtt = now - sentAt[slot];
    if (ever) {
      if (original || rtt < minRtt) {
        return; // when what arrived was sent is not known
      }
    } else {
      rttSample = Math.max(1, rtt);
      minRtt = Math.min(minRtt, rttSample);
      if (Seq.before(ends[slot], highestSacked)) {
        reorderingSeen = true;
      }
    }
    if (sentAt[slot] > rackSentAt
        || (sentAt[slot] == rackSentAt && Seq.after(ends[slot], rackEnd))) {
      rackSentAt = sentAt[slot];
      rackEnd = ends[slot];
      rackRtt = rtt;
    }
  }

  /** The peer reported a retransmission that it did not need. */
  void retransmittedNeedlessly() {
    reorderingSeen = true;
    reorderingFactor = Math.min(16, reorderingFactor + 1);
  }

  /**
   * Marks what must be lost by now.
   *
   * @return when to look again because something sent earlier than what was delivered may still
   *     come, {@link Timers#NONE} if nothing is
   */
  long detectLosses(long now, boolean recovering, long smoothedRtt) {
    if (rackSentAt == 0 && rackRtt == 0) {
      return Timers.NONE;
    }
    long window = 0;
    if (reorderingSeen || (!recovering && sackedSegments < DUPLICATE_THRESHOLD)) {
      window = Math.min(smoothedRtt, minRtt / 4 * reorderingFactor);
    }
    long again = Timers.NONE;
    for (int index = 0; index < count; index++) {
      int slot = slot(index);
      int flag = flags[slot];
      if ((flag & SACKED) != 0 || (flag & (LOST | RETRANSMITTED)) == LOST) {
        continue;
      }
      boolean sentBefore =
          sentAt[slot] < rackSentAt
              || (sentAt[slot] == rackSentAt && Seq.before(ends[slot], rackEnd));
      if (!sentBefore) {
        if ((flag & EVER) == 0) {
          break; // what follows was sent later still, or was retransmitted after this one
        }
        continue;
      }
      long due = sentAt[slot] + rackRtt + window;
      if (due <= now) {
        markLost(index, slot);
      } else {
        again = Math.min(again, due);
      }
    }
    return again;
  }

  /** Without SACK: a duplicate acknowledgement says that one more segment left the network. */
  void duplicateAcknowledgement(int mss) {
    renoSackedBytes = Math.min(Math.max(0, outstandingBytes - mss), renoSackedBytes + mss);
  }

  /** Without SACK: {@code acked} bytes were acknowledged, all but one segment known already. */
  void deflate(int acked, int mss) {
    renoSackedBytes = Math.max(0, renoSackedBytes - Math.max(0, acked - mss));
  }

  void forgetDuplicates() {
    renoSackedBytes = 0;
  }

  /** Without SACK: the first segment is the one that is missing. */
  void markHeadLost() {
    if (count > 0 && (flags[head] & LOST) == 0) {
      markLost(0, head);
    }
  }

  /**
   * The retransmission timer ran out: all that is not SACKed is taken for lost. If the peer seems
   * to have dropped what it SACKed (RFC 2018, section 8), that too.
   */
  void markAllLost() {
    boolean reneged = count > 0 && (flags[head] & SACKED) != 0;
    renoSackedBytes = 0;
    for (int index = 0; index < count; index++) {
      int slot = slot(index);
      if ((flags[slot] & SACKED) != 0) {
        if (!reneged) {
          continue;
        }
        int bytes = ends[slot] - seqs[slot];
        sackedBytes -= bytes;
        sackedSegments--;
        flags[slot] &= ~SACKED;
      }
      if ((flags[slot] & (LOST | RETRANSMITTED)) != LOST) {
        markLost(index, slot);
      }
    }
    lostHint = 0;
  }

  /** What was taken for lost had only been late: nothing waits for retransmission any more. */
  void unmarkLost() {
    for (int index = 0; index < count; index++) {
      int slot = slot(index);
      forgetLoss(slot, ends[slot] - seqs[slot]);
      flags[slot] &= ~(LOST | RETRANSMITTED);
    }
  }

  /** The first segment that is lost and not retransmitted, -1 if there is none. */
  int nextLost() {
    if (lostBytes == 0) {
      return -1;
    }
    for (int index = lostHint; index < count; index++) {
      if ((flags[slot(index)] & (LOST | RETRANSMITTED)) == LOST) {
        lostHint = index;
        return index;
      }
    }
    lostHint = count;
    return -1;
  }

  void retransmitted(int index, long now) {
    int slot = slot(index);
    int bytes = ends[slot] - seqs[slot];
    if ((flags[slot] & RETRANSMITTED) == 0 && (flags[slot] & LOST) != 0) {
      retransmittedBytes += bytes;
      flags[slot] |= RETRANSMITTED;
    }
    flags[slot] |= EVER;
    sentAt[slot] = now;
  }

  /** The last segment, for a tail loss probe; -1 if it is SACKed or there is none. */
  int tail() {
    return count == 0 || (flags[slot(count - 1)] & SACKED) != 0 ? -1 : count - 1;
  }

  /** Cuts segments that a lower path MTU no longer carries, and takes those for lost. */
  void split(int mss) {
    int[] oldSeqs = seqs;
    int[] oldEnds = ends;
    long[] oldSentAt = sentAt;
    byte[] oldFlags = flags;
    int oldHead = head;
    int oldCount = count;
    int pieces = 0;
    for (int i = 0; i < oldCount; i++) {
      int slot = oldHead + i & oldSeqs.length - 1;
      pieces += Math.max(1, (oldEnds[slot] - oldSeqs[slot] + mss - 1) / mss);
    }
    allocate(pieces);
    count = 0;
    for (int i = 0; i < oldCount; i++) {
      int slot = oldHead + i & oldSeqs.length - 1;
      int length = oldEnds[slot] - oldSeqs[slot];
      // A lone FIN behind a full segment needs no cut: it takes no room.
      boolean cut = length > mss + 1;
      int seq = oldSeqs[slot];
      do {
        int end = cut ? Seq.min(seq + mss, oldEnds[slot]) : oldEnds[slot];
        seqs[count] = seq;
        ends[count] = end;
        sentAt[count] = oldSentAt[slot];
        flags[count] = oldFlags[slot];
        if ((oldFlags[slot] & SACKED) != 0) {
          sackedSegments += seq == oldSeqs[slot] ? 0 : 1;
        }
        count++;
        if (cut && (oldFlags[slot] & (SACKED | LOST)) == 0) {
          lostBytes += end - seq;
          flags[count - 1] |= LOST;
        } else if (cut && (oldFlags[slot] & (SACKED | RETRANSMITTED)) == RETRANSMITTED) {
          retransmittedBytes -= end - seq;
          flags[count - 1] &= ~RETRANSMITTED;
        }
        seq = end;
      } while (Seq.before(seq, oldEnds[slot]));
    }
    lostHint = 0;
  }

  void discard() {
    head = 0;
    count = 0;
    outstandingBytes = 0;
    sackedBytes = 0;
    sackedSegments = 0;
    renoSackedBytes = 0;
    lostBytes = 0;
    retransmittedBytes = 0;
    allocate(16);
  }

  private void markLost(int index, int slot) {
    int bytes = ends[slot] - seqs[slot];
    if ((flags[slot] & LOST) == 0) {
      lostBytes += bytes;
      flags[slot] |= LOST;
    }
    if ((flags[slot] & RETRANSMITTED) != 0) {
      retransmittedBytes -= bytes;
      flags[slot] &= ~RETRANSMITTED;
    }
    lostHint = Math.min(lostHint, index);
  }

  private void forgetLoss(int slot, int bytes) {
    if ((flags[slot] & LOST) != 0) {
      lostBytes -= bytes;
    }
    if ((flags[slot] & RETRANSMITTED) != 0) {
      retransmittedBytes -= bytes;
    }
  }

  private int firstFrom(int seq) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Seq.before(seqs[slot(middle)], seq)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private int slot(int index) {
    return head + index & seqs.length - 1;
  }

  private void grow() {
    int length = seqs.length;
    int[] newSeqs = new int[length * 2];
    int[] newEnds = new int[length * 2];
    long[] newSentAt = new long[length * 2];
    byte[] newFlags = new byte[length * 2];
    for (int index = 0; index < count; index++) {
      int slot = slot(index);
      newSeqs[index] = seqs[slot];
      newEnds[index] = ends[slot];
      newSentAt[index] = sentAt[slot];
      newFlags[index] = flags[slot];
    }
    seqs = newSeqs;
    ends = newEnds;
    sentAt = newSentAt;
    flags = newFlags;
    head = 0;
  }

  /** Replaces the arrays by empty ones for at least {@code entries}. */
  private void allocate(int entries) {
    int length = 16;
    while (length < entries) {
      length *= 2;
    }
    seqs = new int[length];
    ends = new int[length];
    sentAt = new long[length];
    flags = new byte[length];
    head = 0;
  }
}
