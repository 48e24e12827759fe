package dev.paramecium.bpf;

/** Time as a node sees it; nothing on a node reads any other clock. */
public interface Clock {

  /** {@code bpf_ktime_get_ns}: nanoseconds since boot, monotonic. */
  long nanos();

  /** Wall clock, milliseconds since the epoch. */
  long epochMs();

  /** Seconds since boot, the unit of conntrack lifetimes. */
  default int seconds() {
    return (int) (nanos() / 1_000_000_000L);
  }

  /** The machine's own clocks. */
  static Clock system() {
    return SystemClock.INSTANCE;
  }
}
