package dev.paramecium.container.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.VirtualNetwork.Run;
import dev.paramecium.container.socket.RawSocket;
import dev.paramecium.container.socket.SocketException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ProbeTest {

  private static final Ipv4Address SERVER = Ipv4Address.parse("10.0.0.2");

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host client = network.host("client", 1, "busybox");
  private final VirtualNetwork.Host server = network.host("server", 2, "busybox");

  private Run probe(String... arguments) {
    List<String> argv = new ArrayList<>(List.of(Probe.NAME));
    argv.addAll(List.of(arguments));
    return client.run(argv.toArray(String[]::new));
  }

  @Test
  void aClosedPortIsAnAnswer() {
    assertThat(probe("tcp", "10.0.0.2", "80").exitCode()).isEqualTo(3);
    assertThat(probe("udp", "10.0.0.2", "80").exitCode()).isEqualTo(3);
  }

  @Test
  void anEchoIsAnswered() {
    assertThat(probe("icmp", "10.0.0.2", "0").exitCode()).isZero();
  }

  @Test
  void silenceIsNoAnswer() {
    Run run = probe("-w", "300", "icmp", "10.0.0.9", "0");
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).isNotBlank();
  }

  @Test
  void severalDestinationsGetALineEachInTheirOrder() {
    Run run =
        probe(
            "-w",
            "300",
            "tcp",
            "10.0.0.2",
            "80",
            "sctp",
            "10.0.0.2",
            "80",
            "icmp",
            "10.0.0.2",
            "0");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).isEqualTo("refused\nno answer\nanswered\n");
  }

  @Test
  void anSctpProbeOpensAnAssociation() throws SocketException {
    List<byte[]> seen = new ArrayList<>();
    RawSocket[] listener = new RawSocket[1];
    listener[0] =
        server.stack.openRaw(
            IpProtocol.SCTP,
            (from, payload) -> {
              seen.add(payload);
              byte[] answer = payload.clone();
              System.arraycopy(payload, 0, answer, 2, 2);
              System.arraycopy(payload, 2, answer, 0, 2);
              answer[12] = 2; // INIT ACK
              try {
                listener[0].send(from, answer);
              } catch (SocketException e) {
                throw new AssertionError(e);
              }
            });

    assertThat(probe("sctp", SERVER.toString(), "7").exitCode()).isZero();
    assertThat(seen).hasSize(1);
    assertThat(seen.getFirst()).hasSize(32);
    assertThat(seen.getFirst()[12]).as("INIT").isEqualTo((byte) 1);
  }

  @Test
  void mistakesAreNamed() {
    assertThat(probe("tcp", "10.0.0.2").exitCode()).isEqualTo(2);
    assertThat(probe("quic", "10.0.0.2", "80").err()).contains("\"quic\"", "usage:");
  }
}
