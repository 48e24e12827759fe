package dev.paramecium.container.process.load;

import dev.paramecium.container.process.ProcessContext;

/**
 * Counts what arrives between the first and the last arrival, and ends the process once nothing has
 * come for a while.
 */
final class Arrivals {

  /** A sender that is silent for so long is done. */
  private static final long SILENCE_MS = 300;

  /** How long the first arrival may take. */
  private static final long START_LIMIT_MS = 20_000;

  private final ProcessContext context;
  private final long startedAt;
  private long count;
  private long bytes;
  private long firstAt;
  private long lastAt;
  private long seen;

  Arrivals(ProcessContext context) {
    this.context = context;
    this.startedAt = context.clock().nanos();
    context.print("listening\n");
    look();
  }

  void add(int size) {
    lastAt = context.clock().nanos();
    if (count++ == 0) {
      firstAt = lastAt;
    }
    bytes += size;
  }

  private void look() {
    boolean silent =
        count == 0
            ? context.clock().nanos() - startedAt > START_LIMIT_MS * Load.NANOS_PER_MS
            : count == seen;
    if (silent) {
      finish();
    } else {
      seen = count;
      context.sockets().schedule(SILENCE_MS, this::look);
    }
  }

  /** Prints what came and ends the process; exit code 1 if nothing did. */
  void finish() {
    context.print("received=" + count + " bytes=" + bytes + " nanos=" + (lastAt - firstAt) + "\n");
    context.exit(count == 0 ? 1 : 0);
  }
}
