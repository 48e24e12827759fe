package dev.paramecium.container.process;

import org.jspecify.annotations.Nullable;

/**
 * Whose programs the thread of a namespace works for. A message's whole time, with what the
 * namespace's stack does in it, goes to the container whose program ran last in it: two readings of
 * the clock a message, however many packets it has.
 */
public final class CpuTime {

  private @Nullable ProcessTable running;
  private long started;

  /** A message begins. */
  public void begin(long nowNs) {
    running = null;
    started = nowNs;
  }

  /** A program of these processes is called. */
  void entered(ProcessTable processes) {
    running = processes;
  }

  /** The message has been handled. */
  public void end(long nowNs) {
    if (running != null) {
      running.used(nowNs - started);
    }
  }
}
