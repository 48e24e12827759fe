package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.socket.SocketHooks;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PortSequenceTest {

  /** What 16, the longest step, divides the even ports into. */
  private static final int AT_LEAST = Ports.COUNT / 16;

  private final PortSequence ports = sequence(1);

  private static PortSequence sequence(long seed) {
    return new PortSequence(
        new Context(
            Clock.system(),
            RandomSource.seeded(seed),
            new SkBuffPool(2048, 16),
            SocketHooks.none(),
            Runnable::run));
  }

  private static int next(PortSequence ports, int remote) {
    Integer port = ports.first(0x0a000001, remote, 80, taken -> taken);
    return port == null ? 0 : port;
  }

  @Test
  void aPortDoesNotComeAgainSoon() {
    Set<Integer> used = new HashSet<>();
    for (int i = 0; i < AT_LEAST; i++) {
      int port = next(ports, 0x0a000002);
      assertThat(port).isBetween(Ports.FIRST, Ports.LAST).isEven();
      assertThat(used.add(port)).as("port %s, after %s others", port, i).isTrue();
    }
  }

  @Test
  void everyDestinationAndEveryHostHasAStartOfItsOwn() {
    Set<Integer> starts = new HashSet<>();
    for (int i = 0; i < 32; i++) {
      starts.add(next(ports, 0x0a000100 + i));
      starts.add(next(sequence(i + 2), 0x0a000002));
    }
    assertThat(starts).hasSizeGreaterThan(60);
  }

  @Test
  void offersEachPortOnceAndThenGivesUp() {
    List<Integer> offered = new ArrayList<>();
    assertThat(
            ports.<Integer>first(
                0x0a000001,
                0x0a000002,
                80,
                port -> {
                  offered.add(port);
                  return null;
                }))
        .isNull();
    assertThat(offered).hasSize(Ports.COUNT).doesNotHaveDuplicates();
    assertThat(offered.subList(0, Ports.COUNT / 2)).allMatch(port -> port % 2 == 0);
  }
}
