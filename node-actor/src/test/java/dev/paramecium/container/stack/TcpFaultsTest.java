package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.stack.SimulatedNetwork.Faults;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/** Whatever the path does to segments, streams arrive as they were written, and end. */
class TcpFaultsTest {

  private static final long TEN_MINUTES = 600_000;

  @Property(tries = 80)
  void everyStreamArrivesIntactAndBothEndsClose(
      @ForAll long seed,
      @ForAll @DoubleRange(min = 0, max = 0.10) double loss,
      @ForAll @DoubleRange(min = 0, max = 0.10) double duplicate,
      @ForAll @DoubleRange(min = 0, max = 0.10) double reorder,
      @ForAll @DoubleRange(min = 0, max = 0.05) double corrupt,
      @ForAll @IntRange(min = 0, max = 400_000) int up,
      @ForAll @IntRange(min = 0, max = 400_000) int down,
      @ForAll @IntRange(min = 576, max = 1500) int mtu,
      @ForAll @IntRange(min = 0, max = 2) int slowness,
      @ForAll boolean batches)
      throws SocketException {
    SimulatedNetwork net = new SimulatedNetwork(seed, mtu);
    net.faults = new Faults(loss, duplicate, reorder, corrupt);
    byte[] request = TcpTransferTest.bytes(up, seed);
    byte[] answer = TcpTransferTest.bytes(down, ~seed);
    net.batches = batches;
    Recorder server = reader(net.b, answer, slowness, seed);
    Recorder client = reader(net.a, request, slowness, ~seed);
    net.b.listen(
        Ipv4Address.ANY,
        80,
        16,
        connection -> {
          server.push(connection);
          return server;
        });
    net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);

    boolean over = net.runUntil(() -> client.isOver() && server.isOver(), TEN_MINUTES);

    assertThat(over).as("both ends are over; client %s server %s", client, server).isTrue();
    assertThat(client.failure).isNull();
    assertThat(server.failure).isNull();
    assertThat(server.firstDifference(request)).isEqualTo(-1);
    assertThat(client.firstDifference(answer)).isEqualTo(-1);
    net.run(200_000);
    for (NetworkStack stack : new NetworkStack[] {net.a, net.b}) {
      assertThat(net.counter(stack, "SockTcpInuse")).isZero();
      assertThat(net.counter(stack, "SockTcpTimeWait")).isZero();
    }
    assertThat(net.pool.inUse()).isZero();
    net.close();
  }

  /** A process that pauses now and then, the more often the slower. */
  private static Recorder reader(NetworkStack stack, byte[] toSend, int slowness, long seed) {
    RandomSource random = RandomSource.seeded(seed);
    return new Recorder(toSend, true) {
      @Override
      public void data(TcpConnection from, byte[] bytes, int at, int count) {
        super.data(from, bytes, at, count);
        if ((random.nextInt() & 7) < 2 * slowness) {
          from.pauseReading();
          stack.schedule(random.nextInt() & 127, from::resumeReading);
        }
      }
    };
  }

  /** Loss alone, at ten percent, must not stop SACK recovery from keeping the pipe going. */
  @Property(tries = 10)
  void lossIsRepairedWithoutWaitingForTimeoutsMostly(@ForAll long seed) throws SocketException {
    SimulatedNetwork net = new SimulatedNetwork(seed);
    net.faults = new Faults(0.02, 0, 0, 0);
    byte[] request = TcpTransferTest.bytes(1_000_000, seed);
    Recorder server = new Recorder();
    Recorder client = new Recorder(request, true);
    net.b.listen(Ipv4Address.ANY, 80, 16, _ -> server);
    net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);

    assertThat(net.runUntil(() -> client.isOver() && server.isOver(), TEN_MINUTES)).isTrue();

    assertThat(server.firstDifference(request)).isEqualTo(-1);
    assertThat(net.counter(net.a, "TcpRetransSegs")).isLessThan(40);
    assertThat(net.counter(net.a, "TcpExtTCPTimeouts")).isLessThanOrEqualTo(2);
    net.close();
    assertThat(net.pool.inUse()).isZero();
  }
}
