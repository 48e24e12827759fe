package dev.paramecium.lib;

import static dev.paramecium.benchmark.ReferenceNode.CURL;
import static dev.paramecium.benchmark.ReferenceNode.WORLD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.benchmark.ReferenceNode;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.packet.Tcp;
import dev.paramecium.syscall.PerfRecord;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a program asks for more room. */
class SignalsTest {

  private static final Ipv4Address NODE = Ipv4Address.parse("192.168.1.12");
  private static final int FIRST_PORT = 50000;

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

  private final ReferenceNode node = new ReferenceNode(0, TraceRecorder.NONE, CLOCK);
  private final PerfEventArray.Reader signals = node.maps.signals().open(1, () -> {});

  private Nat nat(int ports) {
    NodePortConfig settings =
        new NodePortConfig(9, 0, NODE.value(), FIRST_PORT, FIRST_PORT + ports, Fib.NONE);
    NodeConfig config =
        new NodeConfig(
            NODE.value(),
            2,
            -256,
            NodeConfig.DEFAULT_LOOPBACK_IP,
            5,
            3,
            4,
            0,
            0,
            0,
            1,
            6,
            NodeConfig.DEFAULT_TUNNEL_PORT,
            0,
            false,
            ConntrackTimeouts.DEFAULT,
            settings);
    ProgramContext context =
        new ProgramContext(config, node.maps, CLOCK, RandomSource.seeded(1), TraceRecorder.NONE);
    Fragments fragments = new Fragments(node.maps.fragments(), new Metrics(node.maps.metrics()));
    return new Nat(context, settings, new Conntrack(context, fragments));
  }

  private void take(int port) {
    CtTuple reply = new CtTuple(NODE, WORLD, port, 80, IpProtocol.TCP, CtTuple.IN);
    node.maps.nat().snat().update(reply.encode(), new byte[Ipv4NatEntry.SIZE]);
  }

  private int translate(int ports) {
    return nat(ports)
        .process(
            node.tcp(CURL, 40000, WORLD, 80, Tcp.SYN),
            Nat.EGRESS,
            NODE.value(),
            true,
            PerCpu.current());
  }

  private List<Integer> signalled() {
    List<Integer> numbers = new ArrayList<>();
    for (PerfRecord record = signals.poll(); record != null; record = signals.poll()) {
      numbers.add((int) record.bytes()[0]);
    }
    return numbers;
  }

  @Test
  void asksForRoomWhenNoPortIsFree() {
    for (int port = FIRST_PORT; port < FIRST_PORT + 10; port++) {
      take(port);
    }
    assertThat(translate(10)).isEqualTo(-DropReason.NAT_NO_MAPPING);
    assertThat(signalled()).as("SIGNAL_NAT_FILL_UP").containsExactly(0);
  }

  @Test
  void saysNothingWhenAPortIsFoundSoon() {
    take(FIRST_PORT);
    assertThat(translate(10)).isZero();
    assertThat(signalled()).isEmpty();
  }
}
