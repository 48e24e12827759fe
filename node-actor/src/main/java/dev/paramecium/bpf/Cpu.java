package dev.paramecium.bpf;

/**
 * The CPU that a thread is on. A "CPU" is a stripe that a thread's id chooses: two threads may
 * share one, and nothing may break if they do.
 */
final class Cpu {

  private Cpu() {}

  /** The calling thread's, 0 to {@code cpus - 1}. */
  static int current(int cpus) {
    long spread = Thread.currentThread().threadId() * 0x9e3779b97f4a7c15L;
    return (int) (((spread >>> 33) * cpus) >>> 31);
  }
}
