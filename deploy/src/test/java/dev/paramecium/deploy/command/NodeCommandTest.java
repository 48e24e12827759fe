package dev.paramecium.deploy.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.cluster.Topology;
import java.util.List;
import org.junit.jupiter.api.Test;

class NodeCommandTest {

  @Test
  void theNamesAndTheAddressesOfTheNodesOfOneJvmGoTogether() {
    assertThat(NodeCommand.nodes(List.of("a", "b"), List.of("127.0.0.2", "127.0.0.9")))
        .extracting(Topology.Node::toString)
        .containsExactly("Node[name=a, address=127.0.0.2]", "Node[name=b, address=127.0.0.9]");
  }

  @Test
  void saysWhatIsWrongWithThem() {
    assertRefused(
        List.of("a", "b"), List.of("127.0.0.2"), "--name has 2 names and --ip 1 addresses");
    assertRefused(List.of("A"), List.of("127.0.0.2"), "--name is \"A\": a node's name has");
    assertRefused(List.of("a"), List.of("127.0.0"), "--ip: ");
    assertRefused(
        List.of("a", "a"),
        List.of("127.0.0.2", "127.0.0.3"),
        "--name a --ip 127.0.0.3 repeats an earlier node's name or address.");
    assertRefused(
        List.of("a", "b"), List.of("127.0.0.2", "127.0.0.2"), "--name b --ip 127.0.0.2 repeats");
  }

  @Test
  void aClusterLinkIsAnAddressOrANameWithOrWithoutAPort() {
    assertThat(ProcessOptions.links(List.of("cp-1.lan", "10.0.0.1:25521")))
        .containsExactly("cp-1.lan:25520", "10.0.0.1:25521");
    for (String wrong : List.of("a b", "cp:", "cp:70000", ":25520", "http://cp:25520", "::1")) {
      assertThatThrownBy(() -> ProcessOptions.links(List.of(wrong)))
          .isInstanceOf(UserError.class)
          .hasMessageContaining("--join is \"" + wrong + "\": write HOST or HOST:PORT");
    }
  }

  @Test
  void anAddressOfThisMachineMayBeGivenByName() {
    assertThat(ProcessOptions.ownAddress("--advertise", "localhost")).hasToString("127.0.0.1");
    assertThatThrownBy(() -> ProcessOptions.ownAddress("--advertise", "no-such-host.invalid"))
        .isInstanceOf(UserError.class)
        .hasMessageContaining("--advertise is \"no-such-host.invalid\", which has no address here");
  }

  private static void assertRefused(List<String> names, List<String> ips, String message) {
    assertThatThrownBy(() -> NodeCommand.nodes(names, ips))
        .isInstanceOf(UserError.class)
        .hasMessageContaining(message);
  }
}
