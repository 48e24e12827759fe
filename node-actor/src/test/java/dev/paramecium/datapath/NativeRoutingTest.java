package dev.paramecium.datapath;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.datapath.TwinNode.Outcome;
import dev.paramecium.datapath.TwinNode.Packet;
import dev.paramecium.lib.ConntrackTimeouts;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.NodeConfig;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What differs where packets of pods cross the network as they are. */
class NativeRoutingTest {

  private static final int POD = 1180;

  /** UDP from 10.42.1.80 to 198.51.100.7:8472. */
  private static final String VXLAN =
      "0e0000001180"
          + "0a0000001180"
          + "0800"
          + "4500001c00000000401188f1"
          + "0a2a0150"
          + "c6336407"
          + "9c402118"
          + "00080000";

  private static NodeConfig config(boolean tunnel) {
    return new NodeConfig(
        Ipv4Address.parse("192.168.1.12").value(),
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
        null,
        tunnel,
        true,
        true);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void podMayUseTheTunnelsPortOnlyWhereThereIsNoTunnel(boolean tunnel) {
    List<EndpointProgramConfig> pods =
        List.of(
            new EndpointProgramConfig(
                POD, 27021, Ipv4Address.parse("10.42.1.80").value(), 0x0e00_0000_1180L));
    try (TwinNode node = new TwinNode(config(tunnel), pods, 1)) {
      Objects.requireNonNull(node.policies.get(POD))
          .map()
          .update(
              new PolicyKey(0, 8472, IpProtocol.UDP, true).encode(), PolicyEntry.ALLOW.encode());
      Outcome outcome =
          Objects.requireNonNull(
              node.run(new Packet(0, "from-container", POD, VXLAN, 0, 0, 0, -1, -1)));
      assertThat(outcome.differences()).isEmpty();
      assertThat(outcome.verdict()).isEqualTo(tunnel ? Verdict.SHOT : Verdict.OK);
      byte[] prohibited = new MetricsKey(DropReason.ENCAP_PROHIBITED, MetricsKey.EGRESS).encode();
      assertThat(node.maps.metrics().map().lookup(prohibited) != null).isEqualTo(tunnel);
    }
  }
}
