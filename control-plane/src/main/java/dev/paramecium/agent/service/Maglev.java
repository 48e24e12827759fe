package dev.paramecium.agent.service;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * Maglev lookup tables ({@code pkg/maglev}, Eisenbud et al., NSDI 2016, section 3.4): every node
 * computes the same table for the same backends, and a backend that comes or goes moves few of the
 * others' connections. Backends have no weights in this version.
 *
 * @param tableSize M, a prime
 * @param seed of the hash, the first four of the twelve bytes
 */
public record Maglev(int tableSize, int seed) {

  public static final int DEFAULT_TABLE_SIZE = 16381;

  /** {@code bpf-lb-maglev-hash-seed}: twelve bytes in base64. */
  public static final String DEFAULT_HASH_SEED = "JLfvgnHc2kaSUFaI";

  private static final int SEED_BYTES = 12;

  /** The sizes that may be chosen: primes, about 100 times the number of backends. */
  public static final List<Integer> TABLE_SIZES =
      List.of(251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071);

  /**
   * @param hashSeed {@code bpf-lb-maglev-hash-seed}
   * @throws IllegalArgumentException if it is not twelve bytes in base64
   */
  public static Maglev of(int tableSize, String hashSeed) {
    return new Maglev(tableSize, word(hashSeed, 0));
  }

  /** The seed of the hash by which the datapath spreads IPv4 connections over a table. */
  public static int connectionSeed(String hashSeed) {
    return word(hashSeed, 4);
  }

  private static int word(String hashSeed, int at) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(hashSeed);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "Maglev hash seed \"" + hashSeed + "\" is not base64: use twelve bytes, base64", e);
    }
    if (bytes.length != SEED_BYTES) {
      throw new IllegalArgumentException(
          "Maglev hash seed \"" + hashSeed + "\" is " + bytes.length + " bytes, not " + SEED_BYTES);
    }
    return ByteBuffer.wrap(bytes).getInt(at);
  }

  /**
   * Which backend each of the table's {@link #tableSize} places belongs to.
   *
   * @param backends names that mean the same on every node, sorted
   * @return indexes into {@code backends}
   */
  int[] lookupTable(List<String> backends) {
    int count = backends.size();
    int[] place = new int[count];
    int[] skip = new int[count];
    for (int i = 0; i < count; i++) {
      Murmur3 hash = Murmur3.hash128(backends.get(i).getBytes(StandardCharsets.UTF_8), seed);
      place[i] = (int) Long.remainderUnsigned(hash.h1(), tableSize);
      skip[i] = (int) Long.remainderUnsigned(hash.h2(), tableSize - 1) + 1;
    }
    int[] table = new int[tableSize];
    if (count == 0) {
      return table;
    }
    Arrays.fill(table, -1);
    // In turn each backend takes the first place of its own permutation that is still free.
    for (int n = 0; n < tableSize; n++) {
      int backend = n % count;
      while (table[place[backend]] >= 0) {
        place[backend] = (place[backend] + skip[backend]) % tableSize;
      }
      table[place[backend]] = backend;
    }
    return table;
  }
}
