package dev.paramecium.agent.desired;

import dev.paramecium.agent.reconciler.Bytes;

/**
 * One entry that one object asks for.
 *
 * @param revision of the object; of two claims from one source the newer object's counts
 */
public record Claim(String map, Bytes key, Bytes value, Source source, long revision) {

  public Claim(String map, byte[] key, byte[] value, Source source, long revision) {
    this(map, new Bytes(key), new Bytes(value), source, revision);
  }
}
