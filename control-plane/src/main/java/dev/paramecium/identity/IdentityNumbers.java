package dev.paramecium.identity;

import dev.paramecium.abi.ReservedIdentity;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The numbers that a label set may get, in the order in which every allocator must try them: a
 * permutation of 256 to 65535 that looks random and is a function of the label set alone. Because
 * all allocators walk the same way, the object of a number is the only thing they need to agree on
 * (docs/adr/0004-identity-numbers.md).
 */
public final class IdentityNumbers {

  /** How many numbers there are. */
  public static final int COUNT =
      ReservedIdentity.ALLOCATION_MAX - ReservedIdentity.ALLOCATION_MIN + 1;

  private final int first;
  private final int stride;

  /** The numbers of the label set whose {@link SecurityLabels#key} is {@code key}. */
  public IdentityNumbers(String key) {
    ByteBuffer hash = ByteBuffer.wrap(sha256(key));
    first = Integer.remainderUnsigned(hash.getInt(), COUNT);
    // Coprime with COUNT = 65280 = 2^8 · 3 · 5 · 17, so that the walk visits every number once.
    int candidate = Integer.remainderUnsigned(hash.getInt(), COUNT) | 1;
    while (candidate % 3 == 0 || candidate % 5 == 0 || candidate % 17 == 0) {
      candidate += 2;
    }
    stride = candidate % COUNT;
  }

  /** The {@code attempt}-th number, from 0. */
  public int candidate(int attempt) {
    return ReservedIdentity.ALLOCATION_MIN + (int) ((first + (long) attempt * stride) % COUNT);
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
