package dev.paramecium.agent.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class AddressPoolTest {

  private static AddressPool pool(String podCidr) {
    return new AddressPool(Ipv4Prefix.parse(podCidr), new SplittableRandom(1));
  }

  @Test
  void has254AddressesInASlash24() {
    AddressPool pool = pool("10.42.1.0/24");
    assertThat(pool.capacity()).isEqualTo(254);
    for (int i = 0; i < 254; i++) {
      Ipv4Address address = pool.allocate("pod" + i).orElseThrow();
      assertThat(address)
          .isBetween(Ipv4Address.parse("10.42.1.1"), Ipv4Address.parse("10.42.1.254"));
    }
    assertThat(pool.allocate("one too many")).isEmpty();
  }

  @Test
  void refusesACidrThatServesNoNode() {
    assertThatThrownBy(() -> pool("10.42.1.0/31")).hasMessageContaining("10.42.1.0/31");
  }

  @Test
  void keepsWhatARestartTakesBack() {
    AddressPool pool = pool("10.42.1.0/28");
    Ipv4Address address = Ipv4Address.parse("10.42.1.5");
    assertThat(pool.reserve(address, "default/curl")).isTrue();
    assertThat(pool.reserve(address, "default/curl")).isTrue();
    assertThat(pool.reserve(address, "default/other")).isFalse();
    assertThat(pool.reserve(Ipv4Address.parse("10.42.2.5"), "default/other")).isFalse();
    for (int i = 0; i < 13; i++) {
      assertThat(pool.allocate("pod" + i)).isPresent().get().isNotEqualTo(address);
    }
  }

  /** Against an obvious model: nobody shares, and what is released comes back last. */
  @Property(tries = 200)
  void neverGivesAnAddressTwiceAndReusesTheLongestReleasedFirst(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    AddressPool pool = new AddressPool(Ipv4Prefix.parse("10.42.1.0/28"), random.split());
    Map<Ipv4Address, String> owners = new HashMap<>();
    Deque<Ipv4Address> released = new ArrayDeque<>();
    int fresh = 14;
    for (int step = 0; step < 300; step++) {
      if (random.nextBoolean()) {
        Optional<Ipv4Address> got = pool.allocate("owner" + step);
        assertThat(got.isPresent()).as("seed %d", seed).isEqualTo(owners.size() < 14);
        if (got.isPresent()) {
          assertThat(owners.put(got.get(), "owner" + step)).as("seed %d", seed).isNull();
          if (fresh > 0) {
            fresh--;
            assertThat(released).doesNotContain(got.get());
          } else {
            assertThat(got.get()).as("seed %d", seed).isEqualTo(released.removeFirst());
          }
        }
      } else if (!owners.isEmpty()) {
        List<Ipv4Address> taken = new ArrayList<>(owners.keySet());
        Ipv4Address address = taken.get(random.nextInt(taken.size()));
        owners.remove(address);
        pool.release(address);
        pool.release(address);
        released.add(address);
      }
      assertThat(pool.owners()).as("seed %d", seed).isEqualTo(owners);
    }
  }
}
