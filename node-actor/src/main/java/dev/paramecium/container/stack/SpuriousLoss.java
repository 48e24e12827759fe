package dev.paramecium.container.stack;

/**
 * Finds out that what was taken for lost had only been late, so that the reduction of the
 * congestion window can be taken back: the first acknowledgement echoes a timestamp older than the
 * first retransmission (RFC 3522), or each retransmission was reported as a duplicate (RFC 3708).
 */
final class SpuriousLoss {

  private boolean watching;
  private int startedAt;

  /** Retransmissions that were not reported as duplicates. */
  private int unexplained;

  private boolean retransmitted;

  /**
   * A reduction was made.
   *
   * @param timestamp now, as the timestamps option has it
   */
  void begin(int timestamp) {
    watching = true;
    startedAt = timestamp;
    unexplained = 0;
    retransmitted = false;
  }

  void retransmitted() {
    unexplained++;
    retransmitted = true;
  }

  void duplicateReported() {
    if (unexplained > 0) {
      unexplained--;
    }
  }

  /** Whether this segment proves it; answers true at most once for a reduction. */
  boolean isSpurious(TcpSegment s, boolean advances) {
    if (!watching || !retransmitted) {
      return false;
    }
    boolean echoesOriginal =
        advances
            && s.hasTimestamps
            && s.timestampEcho != 0
            && Seq.before(s.timestampEcho, startedAt);
    if (echoesOriginal || unexplained == 0) {
      watching = false;
      return true;
    }
    return false;
  }
}
