package dev.paramecium.deploy.experiment;

import dev.paramecium.deploy.experiment.History.Span;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Notices when the machine does not let those run who want to: a thread that sleeps a little, again
 * and again, and wakes up much later. What is not answered in that time says nothing of the
 * product.
 */
final class StallClock implements AutoCloseable {

  private static final long TICK_MS = 20;
  private static final Duration LATE = Duration.ofMillis(100);

  private final History history;
  private final Thread thread;

  /** Notes stalls from now on. */
  StallClock(History history) {
    this.history = history;
    this.thread = Thread.ofPlatform().daemon().name("stall-clock").start(this::run);
  }

  private void run() {
    Instant before = Instant.now();
    while (true) {
      try {
        TimeUnit.MILLISECONDS.sleep(TICK_MS);
      } catch (InterruptedException _) {
        return;
      }
      Instant now = Instant.now();
      if (before.plusMillis(TICK_MS).plus(LATE).isBefore(now)) {
        history.stalls.add(new Span("the machine stood still", before, now, Set.of("denied")));
      }
      before = now;
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
