package dev.paramecium.datapath;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.datapath.TwinNode.Outcome;
import dev.paramecium.datapath.TwinNode.Packet;
import dev.paramecium.lib.ConntrackTimeouts;
import dev.paramecium.lib.Fib;
import dev.paramecium.lib.Masquerade;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.NodePortConfig;
import dev.paramecium.lib.NodePortConfig.Mode;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whether the node's own packets take ports of its NAT ({@code to_netdev}). */
class ToNetdevTest {

  private static final int NODE = Ipv4Address.parse("192.168.1.12").value();

  /** UDP from 192.168.1.12:40000 to 198.51.100.7:53. */
  private static final String OWN =
      "02aa00000001"
          + "021100000009"
          + "0800"
          + "4500001c00000000401100ff"
          + "c0a8010c"
          + "c6336407"
          + "9c400035"
          + "00080000";

  private static NodeConfig config(Mode mode, boolean masquerades) {
    Masquerade.Config masquerade =
        new Masquerade.Config(NODE, Ipv4Address.parse("10.42.0.0").value(), 0xffff_0000, false);
    NodePortConfig nodePort =
        new NodePortConfig(
            9,
            0x0211_0000_0009L,
            NODE,
            32768,
            65535,
            Fib.NONE,
            mode,
            false,
            0,
            masquerades ? masquerade : null,
            false,
            1500);
    return new NodeConfig(
        NODE,
        Ipv4Address.parse("10.42.1.247").value(),
        0xffff_ff00,
        NodeConfig.DEFAULT_LOOPBACK_IP,
        5,
        3,
        4,
        0,
        0,
        0,
        3333,
        6,
        NodeConfig.DEFAULT_TUNNEL_PORT,
        0,
        false,
        ConntrackTimeouts.DEFAULT,
        nodePort,
        false,
        true,
        true);
  }

  @ParameterizedTest
  @CsvSource({"SNAT,false,2", "HYBRID,false,2", "DSR,true,2", "DSR,false,0"})
  void takesPortsOfNatUnlessEveryServiceIsReturnedDirectly(
      Mode mode, boolean masquerades, int entries) {
    try (TwinNode node = new TwinNode(config(mode, masquerades), List.of(), 1)) {
      Outcome outcome =
          Objects.requireNonNull(node.run(new Packet(0, "to-netdev", 0, OWN, 0, 0, 0, -1, -1)));
      assertThat(outcome.differences()).isEmpty();
      assertThat(outcome.verdict()).isEqualTo(Verdict.OK);
      assertThat(node.maps.nat().snat().size()).isEqualTo(entries);
      assertThat(node.reached()).contains("trace 11 reason 5");
    }
  }
}
