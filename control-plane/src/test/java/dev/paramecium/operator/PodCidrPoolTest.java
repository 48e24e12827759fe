package dev.paramecium.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Prefix;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class PodCidrPoolTest {

  private final PodCidrPool pool = new PodCidrPool(Ipv4Prefix.parse("10.42.0.0/16"), 24);

  @Test
  void givesTheLowestCidrsInTheOrderOfJoining() {
    assertThat(pool.allocate("zebra")).contains(Ipv4Prefix.parse("10.42.0.0/24"));
    assertThat(pool.allocate("ant")).contains(Ipv4Prefix.parse("10.42.1.0/24"));
  }

  @Test
  void givesAReturningNodeItsCidrBack() {
    pool.allocate("a");
    Optional<Ipv4Prefix> before = pool.allocate("b");
    pool.release("b");
    pool.allocate("c");
    assertThat(pool.allocate("b")).isEqualTo(before);
  }

  @Test
  void refusesACidrThatOverlapsAnothers() {
    assertThat(pool.occupy("a", Ipv4Prefix.parse("10.42.0.0/23"))).isTrue();
    assertThat(pool.occupy("b", Ipv4Prefix.parse("10.42.1.0/24"))).isFalse();
    assertThat(pool.allocate("c")).contains(Ipv4Prefix.parse("10.42.2.0/24"));
  }

  @Property(tries = 200)
  void neverGivesOneCidrToTwoNodes(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    PodCidrPool small = new PodCidrPool(Ipv4Prefix.parse("10.42.0.0/16"), 20);
    Map<String, Ipv4Prefix> held = new HashMap<>();
    for (int step = 0; step < 200; step++) {
      String node = "node" + random.nextInt(24);
      if (held.containsKey(node)) {
        small.release(node);
        held.remove(node);
      } else {
        Optional<Ipv4Prefix> given = small.allocate(node);
        assertThat(given.isPresent()).as("seed %d", seed).isEqualTo(held.size() < 16);
        given.ifPresent(
            cidr -> {
              assertThat(held.values()).as("seed %d", seed).doesNotContain(cidr);
              held.put(node, cidr);
            });
      }
    }
  }
}
