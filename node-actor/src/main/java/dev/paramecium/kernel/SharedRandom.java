package dev.paramecium.kernel;

import dev.paramecium.bpf.RandomSource;
import java.util.concurrent.atomic.AtomicLong;

/** A splitmix64 generator for programs, which run on whatever thread calls them. */
final class SharedRandom implements RandomSource {

  private static final long GAMMA = 0x9e3779b97f4a7c15L;

  private final AtomicLong state;

  SharedRandom(long seed) {
    state = new AtomicLong(seed);
  }

  @Override
  public int nextInt() {
    long z = state.addAndGet(GAMMA);
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return (int) ((z ^ (z >>> 31)) >>> 32);
  }
}
