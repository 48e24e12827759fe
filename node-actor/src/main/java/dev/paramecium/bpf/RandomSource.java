package dev.paramecium.bpf;

/** {@code bpf_get_prandom_u32}: chance as a node sees it; a seed replays it. */
public interface RandomSource {

  /** 32 uniformly random bits. */
  int nextInt();

  /** 64 uniformly random bits. */
  default long nextLong() {
    return (long) nextInt() << 32 | (nextInt() & 0xffff_ffffL);
  }

  /** A splitmix64 generator; not for several threads at once. */
  static RandomSource seeded(long seed) {
    return new RandomSource() {
      private long state = seed;

      @Override
      public int nextInt() {
        state += 0x9e3779b97f4a7c15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return (int) ((z ^ (z >>> 31)) >>> 32);
      }
    };
  }
}
