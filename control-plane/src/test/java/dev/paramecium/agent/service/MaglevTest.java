package dev.paramecium.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MaglevTest {

  private static final List<String> THREE = List.of("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");

  /** The reference implementation's digest of "hello". */
  @Test
  void hashesAsMurmur3Does() {
    assertThat(Murmur3.hash128("hello".getBytes(StandardCharsets.UTF_8), 0))
        .isEqualTo(new Murmur3(0xcbd8a7b341bd9b02L, 0x5b1e906a48ae1d19L));
  }

  @Test
  void takesItsSeedsFromTheTwelveBytes() {
    assertThat(Maglev.of(251, Maglev.DEFAULT_HASH_SEED).seed()).isEqualTo(0x24b7ef82);
    assertThat(Maglev.connectionSeed(Maglev.DEFAULT_HASH_SEED)).isEqualTo(0x71dcda46);
    assertThatThrownBy(() -> Maglev.of(251, "c2hvcnQ="))
        .hasMessage("Maglev hash seed \"c2hvcnQ=\" is 5 bytes, not 12");
  }

  /**
   * Where Cilium's own reproducibility test finds the first places of its backends, whose names
   * have the protocol and state in later releases.
   */
  @Test
  void startsEachBackendWhereCiliumDoes() {
    Maglev maglev = Maglev.of(251, Maglev.DEFAULT_HASH_SEED);
    assertThat(
            List.of(
                first(maglev, "[0.0.0.1:1/TCP,State:active]"),
                first(maglev, "[0.0.0.3:3/TCP,State:active]"),
                first(maglev, "[0.0.0.5:5/TCP,State:active]")))
        .containsExactly(129, 122, 100);
  }

  private static int first(Maglev maglev, String backend) {
    Murmur3 hash = Murmur3.hash128(backend.getBytes(StandardCharsets.UTF_8), maglev.seed());
    return (int) Long.remainderUnsigned(hash.h1(), maglev.tableSize());
  }

  /** Computed by an independent implementation of the algorithm with the default seed. */
  @Test
  void laysOutTheTableThatEveryNodeComputes() {
    int[] table = Maglev.of(251, Maglev.DEFAULT_HASH_SEED).lookupTable(THREE);
    assertThat(Arrays.copyOf(table, 40))
        .containsExactly(
            2, 1, 1, 2, 1, 0, 2, 1, 2, 0, 1, 1, 0, 1, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 1, 2, 0, 0, 2,
            2, 0, 0, 2, 0, 1, 2, 1, 1, 0, 2);
  }

  @Test
  void sharesTheTableEvenlyAndMovesLittleWhenABackendGoes() {
    Maglev maglev = Maglev.of(1021, Maglev.DEFAULT_HASH_SEED);
    int[] before = maglev.lookupTable(THREE);
    for (int backend = 0; backend < 3; backend++) {
      int of = backend;
      assertThat(IntStream.of(before).filter(b -> b == of).count()).isBetween(340L, 341L);
    }
    int[] after = maglev.lookupTable(THREE.subList(0, 2));
    long moved =
        IntStream.range(0, 1021).filter(i -> before[i] != 2 && before[i] != after[i]).count();
    assertThat(moved).as("places of backends that stay").isLessThan(21);
  }
}
