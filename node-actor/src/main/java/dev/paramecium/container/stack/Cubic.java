package dev.paramecium.container.stack;

/**
 * Congestion control: slow start and CUBIC (RFC 9438) with the Reno-friendly region, in bytes and
 * with an initial window of ten segments (RFC 6928).
 */
final class Cubic {

  private static final double C = 0.4;
  private static final double BETA = 0.7;
  private static final int INITIAL_SEGMENTS = 10;
  private static final int UNLIMITED = Integer.MAX_VALUE;

  /** More is never useful: no window can be larger (RFC 7323, 2.3). */
  private static final int MAX_WINDOW = 1 << 30;

  private int mss;
  private int window;
  private int threshold = UNLIMITED;

  /** Window before the last reduction, in segments. */
  private double windowMax;

  private double k;
  private long epochStart = -1;
  private double renoWindow;
  private int priorWindow;
  private int priorThreshold;

  Cubic(int mss) {
    this.mss = mss;
    this.window = INITIAL_SEGMENTS * mss;
  }

  int window() {
    return window;
  }

  boolean inSlowStart() {
    return window < threshold;
  }

  /** The segment size is known, or changed; the window keeps its number of segments. */
  void setMss(int newMss, boolean keepBytes) {
    if (!keepBytes) {
      window = (int) Math.min(MAX_WINDOW, (long) window / mss * newMss);
    }
    mss = newMss;
    window = Math.max(window, mss);
  }

  /** {@code acked} bytes were acknowledged while the window was what held the sender back. */
  void acknowledged(int acked, long now, long roundTrip) {
    if (inSlowStart()) {
      int grown = Math.min(acked, threshold - window);
      window = Math.min(MAX_WINDOW, window + grown);
      if (grown == acked) {
        return;
      }
    }
    double segments = (double) window / mss;
    if (epochStart < 0) {
      epochStart = now;
      if (windowMax <= segments) {
        windowMax = segments;
        k = 0;
      } else {
        k = StrictMath.cbrt((windowMax - segments) / C);
      }
      renoWindow = segments;
    }
    double t = (now - epochStart + roundTrip) / 1e9;
    double offset = t - k;
    double target =
        Math.min(Math.max(windowMax + C * offset * offset * offset, segments), 1.5 * segments);
    double ackedSegments = (double) acked / mss;
    double alpha = renoWindow >= windowMax ? 1 : 3 * (1 - BETA) / (1 + BETA);
    renoWindow += alpha * ackedSegments / segments;
    double grown = segments + (target - segments) / segments * ackedSegments;
    window = (int) Math.min(MAX_WINDOW, Math.max(grown, renoWindow) * mss);
  }

  /** Loss was found by acknowledgements: multiplicative decrease. */
  void reduce() {
    remember();
    decrease();
    window = threshold;
  }

  /** The retransmission timer ran out: one segment, then slow start to the threshold. */
  void timeout(boolean first) {
    if (first) {
      remember();
      decrease();
    }
    window = mss;
  }

  /** The reduction was for nothing: what was thought lost had only been late. */
  void undo() {
    window = Math.max(window, priorWindow);
    threshold = Math.max(threshold, priorThreshold);
    epochStart = -1;
  }

  /** Nothing was sent for {@code timeouts} RTOs: the path is no longer known (RFC 5681, 4.1). */
  void idle(int timeouts) {
    int restart = Math.min(window, INITIAL_SEGMENTS * mss);
    threshold = threshold == UNLIMITED ? UNLIMITED : Math.max(threshold, window / 4 * 3);
    window = timeouts > 30 ? restart : Math.max(restart, window >> timeouts);
    epochStart = -1;
  }

  private void remember() {
    priorWindow = window;
    priorThreshold = threshold;
  }

  private void decrease() {
    double segments = (double) window / mss;
    windowMax = segments < windowMax ? segments * (1 + BETA) / 2 : segments;
    threshold = Math.max(2 * mss, (int) (window * BETA));
    epochStart = -1;
  }
}
