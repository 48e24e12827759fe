package dev.paramecium.agent.service;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** MurmurHash3_x64_128 (Austin Appleby): the 128 bits in two halves. */
record Murmur3(long h1, long h2) {

  private static final long C1 = 0x87c37b91114253d5L;
  private static final long C2 = 0x4cf5ad432745937fL;
  private static final int BLOCK = 16;

  static Murmur3 hash128(byte[] data, int seed) {
    long h1 = seed & 0xffff_ffffL;
    long h2 = h1;
    ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    int blocks = data.length / BLOCK;
    for (int i = 0; i < blocks; i++) {
      h1 ^= mixLow(in.getLong());
      h1 = (Long.rotateLeft(h1, 27) + h2) * 5 + 0x52dce729;
      h2 ^= mixHigh(in.getLong());
      h2 = (Long.rotateLeft(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    byte[] tail = new byte[BLOCK];
    in.get(tail, 0, in.remaining());
    ByteBuffer rest = ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN);
    h1 ^= mixLow(rest.getLong());
    h2 ^= mixHigh(rest.getLong());
    h1 ^= data.length;
    h2 ^= data.length;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    h2 += h1;
    return new Murmur3(h1, h2);
  }

  private static long mixLow(long k) {
    return Long.rotateLeft(k * C1, 31) * C2;
  }

  private static long mixHigh(long k) {
    return Long.rotateLeft(k * C2, 33) * C1;
  }

  private static long finish(long h) {
    long x = (h ^ h >>> 33) * 0xff51afd7ed558ccdL;
    x = (x ^ x >>> 33) * 0xc4ceb9fe1a85ec53L;
    return x ^ x >>> 33;
  }
}
