package dev.paramecium.chaos;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;

/**
 * The disk that the journal is on, as failure experiments have it: slow, or full, for a time that
 * ends by itself, since nobody could write that it is over on a disk that is full.
 */
public final class JournalDisk {

  /**
   * @param delay before each write; zero for none
   * @param full whether each write fails
   */
  private record Fault(Duration delay, boolean full, Instant from, Instant until) {}

  private static final Fault NONE = new Fault(Duration.ZERO, false, Instant.MAX, Instant.MIN);

  private final InstantSource clock;
  private volatile Fault fault = NONE;

  /** A disk without faults. */
  public JournalDisk(InstantSource clock) {
    this.clock = clock;
  }

  /** Each write takes longer by {@code delay}. */
  public void slow(Duration delay, Instant from, Instant until) {
    fault = new Fault(delay, false, from, until);
  }

  /** Each write fails, with nothing written. */
  public void fill(Instant from, Instant until) {
    fault = new Fault(Duration.ZERO, true, from, until);
  }

  /** It is as before. */
  public void mend() {
    fault = NONE;
  }

  /**
   * Has to be called before each write.
   *
   * @throws IOException if the disk is full
   */
  public void beforeWrite() throws IOException {
    Fault now = fault;
    Instant time = clock.instant();
    if (time.isBefore(now.from()) || !time.isBefore(now.until())) {
      return;
    }
    if (now.full()) {
      throw new IOException("No space left on device (ControlPlaneChaos full-disk)");
    }
    try {
      TimeUnit.NANOSECONDS.sleep(now.delay().toNanos());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the disk is slow", e);
    }
  }
}
