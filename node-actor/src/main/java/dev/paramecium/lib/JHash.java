package dev.paramecium.lib;

/** {@code jhash_3words} (Bob Jenkins' lookup3; {@code bpf/lib/jhash.h}, {@code linux/jhash.h}). */
final class JHash {

  private static final int INITVAL = 0xdead_beef;

  private JHash() {}

  static int threeWords(int a, int b, int c, int seed) {
    int start = seed + INITVAL + (3 << 2);
    int x = a + start;
    int y = b + start;
    int z = c + start;
    z = (z ^ y) - Integer.rotateLeft(y, 14);
    x = (x ^ z) - Integer.rotateLeft(z, 11);
    y = (y ^ x) - Integer.rotateLeft(x, 25);
    z = (z ^ y) - Integer.rotateLeft(y, 16);
    x = (x ^ z) - Integer.rotateLeft(z, 4);
    y = (y ^ x) - Integer.rotateLeft(x, 14);
    return (z ^ y) - Integer.rotateLeft(y, 24);
  }
}
