package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.map.CiliumMaps;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The actor that collects conntrack. */
class ConntrackCollectorTest {

  private static final Clock CLOCK =
      new Clock() {
        @Override
        public long nanos() {
          return 1_000_000_000_000L;
        }

        @Override
        public long epochMs() {
          return 0;
        }
      };

  private final ActorTestKit kit = ActorTestKit.create();
  private final AtomicInteger ids = new AtomicInteger(1);
  private final CiliumMaps maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null);
  private final AtomicLong collected = new AtomicLong();

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private void dead(int port) {
    Ipv4Address address = Ipv4Address.parse("10.42.1.80");
    CtTuple tuple = new CtTuple(address, address, port, 80, IpProtocol.TCP, CtTuple.OUT);
    maps.conntrack().tcp().update(tuple.encode(), new byte[CtEntry.SIZE]);
  }

  @Test
  void collectsAtStartAndAtOnceWhenAProgramFoundNoRoom() {
    dead(1);
    kit.spawn(ConntrackCollector.create(maps, CLOCK, collected));
    await().untilAsserted(() -> assertThat(collected).hasValue(1));
    for (int round = 2; round < 5; round++) {
      dead(round);
      maps.signals().output(PerfEventArray.CURRENT_CPU, 0, new byte[] {1, 0, 0, 0, 0, 0, 0, 0});
      int expected = round;
      await().untilAsserted(() -> assertThat(collected).hasValue(expected));
    }
  }
}
