package dev.paramecium.container.stack;

import dev.paramecium.bpf.RandomSource;

/** SipHash-2-4 of a four-tuple under a secret key: the F of RFC 6528. */
final class SipHash {

  private final long k0;
  private final long k1;

  SipHash(RandomSource random) {
    this(random.nextLong(), random.nextLong());
  }

  SipHash(long k0, long k1) {
    this.k0 = k0;
    this.k1 = k1;
  }

  /** Hashes sixteen bytes, given as two little-endian words. */
  long hash(long first, long second) {
    long v0 = k0 ^ 0x736f6d6570736575L;
    long v1 = k1 ^ 0x646f72616e646f6dL;
    long v2 = k0 ^ 0x6c7967656e657261L;
    long v3 = k1 ^ 0x7465646279746573L;
    for (int word = 0; word < 4; word++) {
      long m =
          switch (word) {
            case 0 -> first;
            case 1 -> second;
            case 2 -> 16L << 56;
            default -> 0;
          };
      if (word == 3) {
        v2 ^= 0xff;
      } else {
        v3 ^= m;
      }
      for (int round = word == 3 ? 4 : 2; round > 0; round--) {
        v0 += v1;
        v1 = Long.rotateLeft(v1, 13) ^ v0;
        v0 = Long.rotateLeft(v0, 32);
        v2 += v3;
        v3 = Long.rotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = Long.rotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = Long.rotateLeft(v1, 17) ^ v2;
        v2 = Long.rotateLeft(v2, 32);
      }
      if (word < 3) {
        v0 ^= m;
      }
    }
    return v0 ^ v1 ^ v2 ^ v3;
  }
}
