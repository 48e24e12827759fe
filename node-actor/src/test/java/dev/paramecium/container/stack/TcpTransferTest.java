package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import org.junit.jupiter.api.Test;

class TcpTransferTest {

  @Test
  void aStreamArrivesIntactInBothDirections() throws SocketException {
    SimulatedNetwork net = new SimulatedNetwork(7);
    byte[] up = bytes(300_000, 1);
    byte[] down = bytes(500_000, 2);
    Recorder server = new Recorder(down, true);
    net.b.listen(
        Ipv4Address.ANY,
        80,
        16,
        connection -> {
          server.push(connection);
          return server;
        });
    Recorder client = new Recorder(up, true);
    net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);

    assertThat(net.runUntil(() -> client.isOver() && server.isOver(), 20_000)).isTrue();
    assertThat(server.received.toByteArray()).isEqualTo(up);
    assertThat(client.received.toByteArray()).isEqualTo(down);
    assertThat(client.failure).isNull();
    assertThat(server.failure).isNull();
    net.close();
    assertThat(net.pool.inUse()).isZero();
  }

  /** A pause of the peer's machine looks like a loss of everything, until its answers come. */
  @Test
  void aStallIsFoundOutByTheFirstAcknowledgement() throws SocketException {
    SimulatedNetwork net = new SimulatedNetwork(7);
    Recorder server = new Recorder();
    Recorder client = new Recorder(bytes(3_000_000, 1), false);
    net.b.listen(Ipv4Address.ANY, 80, 16, _ -> server);
    net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
    net.runUntil(() -> server.received.size() > 1_000_000, 20_000);
    long before = net.counter(net.a, "TcpOutSegs");
    net.stallUntil(net.nanos() + 600_000_000);

    assertThat(net.runUntil(() -> server.received.size() == 3_000_000, 20_000)).isTrue();
    assertThat(net.counter(net.a, "TcpOutSegs") - before).isGreaterThan(1_000);
    assertThat(net.counter(net.a, "TcpExtTCPTimeouts")).isPositive();
    assertThat(net.counter(net.a, "TcpExtTCPDSACKUndo")).isPositive();
    assertThat(net.counter(net.a, "TcpRetransSegs")).isLessThan(10);
    net.close();
    assertThat(net.pool.inUse()).isZero();
  }

  static byte[] bytes(int count, long seed) {
    RandomSource random = RandomSource.seeded(seed);
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) random.nextInt();
    }
    return bytes;
  }
}
