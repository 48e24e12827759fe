package dev.paramecium.map;

/**
 * The max_entries of the maps that an agent's options size.
 *
 * @param ctTcp {@code bpf-ct-global-tcp-max}
 * @param ctAny {@code bpf-ct-global-any-max}
 * @param nat {@code bpf-nat-global-max}
 * @param policy {@code bpf-policy-map-max}, of each endpoint
 */
public record MapSizes(int ctTcp, int ctAny, int nat, int policy) {

  /** With {@code bpf-map-dynamic-size-ratio} 0. */
  public static final MapSizes DEFAULT = new MapSizes(524_288, 262_144, 524_288, 16_384);

  public MapSizes {
    if (Math.min(Math.min(ctTcp, ctAny), Math.min(nat, policy)) < 1) {
      throw new IllegalArgumentException(
          "maps of "
              + ctTcp
              + ", "
              + ctAny
              + ", "
              + nat
              + " and "
              + policy
              + " entries: each map needs room for one at least");
    }
  }
}
