package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
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
    assertThat(server.firstDifference(up)).isEqualTo(-1);
    assertThat(client.firstDifference(down)).isEqualTo(-1);
    assertThat(client.failure).isNull();
    assertThat(server.failure).isNull();
    net.close();
    assertThat(net.pool.inUse()).isZero();
  }

  @Test
  void aBatchOfSegmentsIsAcknowledgedOnce() throws SocketException {
    SimulatedNetwork net = new SimulatedNetwork(7);
    net.batches = true;
    byte[] up = bytes(2_000_000, 1);
    Recorder server = new Recorder();
    Recorder client = new Recorder(up, true);
    net.b.listen(Ipv4Address.ANY, 80, 16, _ -> server);
    net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
    assertThat(net.runUntil(client::isOver, 20_000)).isTrue();
    assertThat(server.firstDifference(up)).isEqualTo(-1);
    assertThat(net.counter(net.b, "TcpOutSegs")).isLessThan(net.counter(net.a, "TcpOutSegs") / 8);
    net.close();
    assertThat(net.pool.inUse()).isZero();
  }

  /** A process that stops reading closes the window; nothing is lost when it reads on. */
  @Test
  void aSlowReaderHoldsTheSenderBack() throws SocketException {
    SimulatedNetwork net = new SimulatedNetwork(9);
    byte[] up = bytes(3_000_000, 1);
    Recorder server =
        new Recorder() {
          @Override
          public void data(TcpConnection from, byte[] bytes, int at, int count) {
            super.data(from, bytes, at, count);
            from.pauseReading();
            net.b.schedule(1, from::resumeReading);
          }
        };
    Recorder client = new Recorder(up, true);
    net.b.listen(Ipv4Address.ANY, 80, 16, _ -> server);
    net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
    assertThat(net.runUntil(() -> client.isOver() && server.isOver(), 600_000)).isTrue();
    assertThat(server.firstDifference(up)).isEqualTo(-1);
    assertThat(server.peerClosed).isTrue();
    assertThat(net.counter(net.a, "TcpRetransSegs")).isZero();
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
