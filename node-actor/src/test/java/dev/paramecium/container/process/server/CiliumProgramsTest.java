package dev.paramecium.container.process.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.container.process.VirtualNetwork;
import dev.paramecium.container.process.VirtualNetwork.Host;
import dev.paramecium.container.process.VirtualNetwork.Run;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The programs of Cilium's own pods. */
class CiliumProgramsTest {

  private final VirtualNetwork network = new VirtualNetwork();

  @Test
  void theOperatorPrintsEachLineThatItIsToldOnce() {
    Host host = network.host("operator", 2, "quay.io/cilium/operator-generic:v1.12.3");
    Run run = host.serve();
    write(host, "7 level=info msg=a\n8 level=info msg=\"b c\"\n");
    write(host, "8 level=info msg=\"b c\"\n9 level=info msg=d\n");

    assertThat(run.out())
        .isEqualTo(
            "level=info msg=\"Starting apiserver on address 127.0.0.1:9234\""
                + " subsys=cilium-operator-api\n"
                + "level=info msg=a\nlevel=info msg=\"b c\"\nlevel=info msg=d\n");
  }

  private static void write(Host host, String text) {
    host.processes.files().write(ComponentLog.FILE, text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aSecondOperatorOnANodeHasNoPort() {
    Host host = network.host("operator", 2, "cilium/operator-generic");
    host.serve();
    Run second = host.run("cilium-operator-generic");
    assertThat(second.exitCode()).isEqualTo(1);
    assertThat(second.out()).contains("level=fatal", "127.0.0.1:9234", "address already in use");
  }

  @Test
  void thereIsNothingBesideTheProgramInItsImage() {
    Host host = network.host("relay", 2, "quay.io/cilium/hubble-relay:v1.12.3");
    assertThat(host.image.path(Map.of())).containsOnlyKeys("hubble-relay");
    assertThat(host.run("hubble-relay", "version").out()).startsWith("hubble-relay 1.12.3 ");
    assertThat(host.run("hubble-relay", "observe").err()).contains("\"observe\"", "use serve");
    assertThat(host.run("hubble-relay", "serve", "--listen-address=x").err()).contains("\"x\"");
  }

  @Test
  void theRelaySaysThatItListensAndWhatItAnswers() {
    assertThat(network.host("relay", 2, "cilium/hubble-relay").serve().out())
        .contains("listenAddress=\":4245\"", "answered UNAVAILABLE");
  }
}
