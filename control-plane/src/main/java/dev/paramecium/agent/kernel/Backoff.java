package dev.paramecium.agent.kernel;

import java.time.Duration;

/** How long to wait before the next attempt: doubling from a first to a last delay. */
public final class Backoff {

  private final Duration first;
  private final Duration last;
  private int attempts;

  public Backoff(Duration first, Duration last) {
    this.first = first;
    this.last = last;
  }

  /** A quarter of a second to ten seconds: for calls to the API server. */
  public static Backoff forApi() {
    return new Backoff(Duration.ofMillis(250), Duration.ofSeconds(10));
  }

  /** The next delay. */
  public Duration next() {
    Duration delay = first.multipliedBy(1L << Math.min(attempts, 20));
    attempts++;
    return delay.compareTo(last) < 0 ? delay : last;
  }

  /** It worked: the next failure starts over. */
  public void reset() {
    attempts = 0;
  }
}
