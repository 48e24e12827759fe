package dev.paramecium.container.stack;

/**
 * Round-trip time and retransmission timeout (RFC 6298), in nanoseconds. As in Linux the variance
 * term, not the sum, has the floor of 200 ms.
 */
final class RoundTrip {

  static final long INITIAL_RTO = Context.SECOND;
  static final long MIN_RTO = 200 * Context.MILLISECOND;
  static final long MAX_RTO = 120 * Context.SECOND;

  private long smoothed;
  private long variance;
  private long rto = INITIAL_RTO;

  /** 0 before the first sample. */
  long smoothed() {
    return smoothed;
  }

  /** Without back-off. */
  long rto() {
    return rto;
  }

  /** With {@code backoff} doublings. */
  long rto(int backoff) {
    return backoff >= 20 ? MAX_RTO : Math.min(MAX_RTO, rto << backoff);
  }

  /** SYN was lost and its round trip is not known: RFC 6298, 5.7. */
  void fallBack() {
    rto = 3 * Context.SECOND;
  }

  void sample(long measured) {
    long rtt = Math.max(1, measured);
    if (smoothed == 0) {
      smoothed = rtt;
      variance = rtt / 2;
    } else {
      variance += (Math.abs(smoothed - rtt) - variance) / 4;
      smoothed += (rtt - smoothed) / 8;
    }
    rto = Math.min(MAX_RTO, smoothed + Math.max(MIN_RTO, 4 * variance));
  }
}
