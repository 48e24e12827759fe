package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.stack.SimulatedNetwork.Faults;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Many connections at once and one after another: nothing runs out and nothing is left. */
class TcpCapacityTest {

  private final SimulatedNetwork net = new SimulatedNetwork(3);
  private final List<Recorder> servers = new ArrayList<>();

  private void serve(int backlog, byte[] answer) throws SocketException {
    net.b.listen(
        Ipv4Address.ANY,
        80,
        backlog,
        connection -> {
          Recorder server = new Recorder(answer, true);
          servers.add(server);
          server.push(connection);
          return server;
        });
  }

  private void expectClean() {
    net.run(125_000);
    for (NetworkStack stack : new NetworkStack[] {net.a, net.b}) {
      assertThat(net.counter(stack, "SockTcpInuse")).isZero();
      assertThat(net.counter(stack, "SockTcpTimeWait")).isZero();
      assertThat(net.counter(stack, "TcpCurrEstab")).isZero();
    }
    assertThat(net.pool.inUse()).isZero();
    net.close();
    assertThat(net.counter(net.a, "Timers")).isZero();
  }

  @Test
  void aThousandConnectionsAtOnceOverALossyPath() throws SocketException {
    net.faults = new Faults(0.02, 0.02, 0.05, 0);
    byte[] answer = TcpTransferTest.bytes(8_000, 5);
    serve(1024, answer);
    List<Recorder> clients = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      Recorder client = new Recorder(TcpTransferTest.bytes(2_000, i), true);
      clients.add(client);
      net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
    }
    assertThat(net.counter(net.a, "SockTcpInuse")).isEqualTo(1000);

    boolean over =
        net.runUntil(
            () -> clients.stream().allMatch(Recorder::isOver) && servers.size() == 1000, 300_000);

    assertThat(over).isTrue();
    for (Recorder client : clients) {
      assertThat(client.failure).isNull();
      assertThat(client.firstDifference(answer)).isEqualTo(-1);
    }
    expectClean();
  }

  @Test
  void moreConnectionsThanTheBacklogAreServedAfterRetries() throws SocketException {
    serve(8, new byte[10]);
    List<Recorder> clients = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      Recorder client = new Recorder(new byte[10], true);
      clients.add(client);
      net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
    }
    boolean over = net.runUntil(() -> clients.stream().allMatch(Recorder::isOver), 130_000);
    assertThat(over).isTrue();
    assertThat(clients).allMatch(client -> client.failure == null);
    assertThat(net.counter(net.b, "TcpExtListenOverflows")).isPositive();
    expectClean();
  }

  @Test
  void tenThousandConnectionsOneAfterAnother() throws SocketException {
    net.delayNs = 50_000;
    serve(16, new byte[100]);
    for (int i = 0; i < 10_000; i++) {
      Recorder client = new Recorder(new byte[100], true);
      net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
      boolean over = net.runUntil(client::isOver, 10_000);
      assertThat(over && client.failure == null).as("connection %s", i).isTrue();
    }
    assertThat(net.counter(net.a, "SockTcpInuse") + net.counter(net.b, "SockTcpInuse"))
        .isLessThanOrEqualTo(1);
    assertThat(net.pool.inUse()).isLessThanOrEqualTo(2);
    expectClean();
  }

  @Test
  void portsInTimeWaitAreReusedOnceTheRangeIsUsedUp() throws SocketException {
    net.delayNs = 20_000;
    serve(16, new byte[0]);
    // 28,232 ephemeral ports; TIME-WAIT is bounded at 16,384 and lasts longer than this takes.
    for (int i = 0; i < 30_000; i++) {
      Recorder client = new Recorder(new byte[1], true);
      net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
      boolean over = net.runUntil(client::isOver, 10_000);
      assertThat(over && client.failure == null).as("connection %s", i).isTrue();
    }
    assertThat(net.counter(net.a, "SockTcpTimeWait") + net.counter(net.b, "SockTcpTimeWait"))
        .isGreaterThan(10_000);
    expectClean();
  }
}
