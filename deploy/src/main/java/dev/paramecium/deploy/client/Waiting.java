package dev.paramecium.deploy.client;

import dev.paramecium.deploy.UserError;
import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Asking again and again for something that takes a while. */
public final class Waiting {

  private static final Duration INTERVAL = Duration.ofMillis(40);

  private Waiting() {}

  /**
   * Returns when {@code condition} holds.
   *
   * @param tooLate what to say if it does not within the limit
   * @throws UserError then, or whatever the condition throws
   */
  public static void until(Duration limit, BooleanSupplier condition, Supplier<String> tooLate) {
    Instant deadline = Instant.now().plus(limit);
    while (!condition.getAsBoolean()) {
      if (Instant.now().isAfter(deadline)) {
        throw new UserError(UserError.FAILED, tooLate.get());
      }
      try {
        Thread.sleep(INTERVAL);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new UserError(UserError.FAILED, "interrupted");
      }
    }
  }
}
