package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.TcpConnection;
import dev.paramecium.container.socket.TcpHandler;
import dev.paramecium.datapath.sock.SocketNode;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Connections within a node that bypass its devices: the stream is the same as over them. */
final class SockMapTransferTest {

  private static final String REDIRECTED = "SkMsgRedirectedBytes";

  private final SocketNode node = new SocketNode().withSockops();

  private SimulatedNetwork network(long seed) {
    node.local(SimulatedNetwork.A, 1);
    node.local(SimulatedNetwork.B, 2);
    node.known(SimulatedNetwork.A + "/32", SocketNode.A_IDENTITY);
    node.known(SimulatedNetwork.B + "/32", SocketNode.B_IDENTITY);
    return new SimulatedNetwork(
        seed, 1450, node.cgroup.namespace(false), node.cgroup.namespace(false));
  }

  private static SocketAddress server() {
    return new SocketAddress(SimulatedNetwork.B, 80);
  }

  /**
   * A process end that writes a stream in pieces of random size at random times, reads with random
   * pauses and hashes what it reads.
   */
  private static class Talker implements TcpHandler {
    private final SimulatedNetwork net;
    private final NetworkStack stack;
    private final RandomSource random;
    private final byte[] toSend;
    private final MessageDigest digest = sha256();
    long received;
    boolean peerClosed;
    boolean closed;
    @Nullable SocketError failure;
    private int sent;
    private boolean finished;

    Talker(SimulatedNetwork net, NetworkStack stack, long seed, int bytes) {
      this.net = net;
      this.stack = stack;
      this.random = RandomSource.seeded(seed);
      this.toSend = TcpTransferTest.bytes(bytes, seed);
    }

    private int below(int bound) {
      return (random.nextInt() >>> 1) % bound;
    }

    String sent() {
      return HexFormat.of().formatHex(sha256().digest(toSend));
    }

    String read() {
      return HexFormat.of().formatHex(digest.digest());
    }

    void push(TcpConnection to) {
      while (sent < toSend.length) {
        int piece = Math.min(toSend.length - sent, 1 + below(below(8) == 0 ? 300_000 : 6_000));
        int taken = to.write(toSend, sent, piece);
        sent += taken;
        if (taken < piece) {
          return; // writable tells
        }
        if (below(8) == 0) {
          stack.schedule(below(20), () -> push(to));
          return;
        }
      }
      if (!finished) {
        finished = true;
        to.shutdownWrite();
      }
    }

    @Override
    public void connected(TcpConnection to) {
      push(to);
    }

    @Override
    public void writable(TcpConnection to) {
      push(to);
    }

    @Override
    public void data(TcpConnection from, byte[] bytes, int at, int count) {
      digest.update(bytes, at, count);
      received += count;
      if (below(2) == 0) {
        from.pauseReading();
        stack.schedule(below(40), from::resumeReading);
      }
    }

    @Override
    public void peerClosed(TcpConnection from) {
      peerClosed = true;
    }

    @Override
    public void failed(TcpConnection on, SocketError error) {
      failure = error;
    }

    @Override
    public void closed(TcpConnection on) {
      closed = true;
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Both ends write at once, over a link that loses, doubles, swaps and delays, while policy turns
   * the bypass off and on: every byte arrives once and in order, and so do both FINs.
   */
  @Property(tries = 200)
  void theStreamIsTheSameHoweverItsPartsTravel(
      @ForAll @IntRange(max = 1_000_000_000) int seed, @ForAll @IntRange(max = 2) int faults)
      throws SocketException {
    RandomSource chance = RandomSource.seeded(seed + 12L);
    int up = (chance.nextInt() >>> 1) % 900_000;
    int down = (chance.nextInt() >>> 1) % 900_000;
    SimulatedNetwork net = network(seed);
    net.batches = (seed & 1) == 0;
    if (faults > 0) {
      net.faults = new SimulatedNetwork.Faults(0.02 * faults, 0.02, 0.05, 0);
    }
    Talker client = new Talker(net, net.a, seed + 10L, up);
    Talker server = new Talker(net, net.b, seed + 11L, down);
    net.b.listen(
        Ipv4Address.ANY,
        80,
        16,
        connection -> {
          net.b.schedule(0, () -> server.push(connection));
          return server;
        });
    net.a.connect(server(), client);
    for (int i = 0; i < 100 && faults < 2; i++) {
      net.run(1 + (chance.nextInt() >>> 1) % 20);
      boolean allowed = (chance.nextInt() & 1) == 0;
      Ipv4Address sender = (chance.nextInt() & 1) == 0 ? SimulatedNetwork.A : SimulatedNetwork.B;
      node.egress(sender, 0, 0, allowed ? PolicyEntry.ALLOW : PolicyEntry.DENY);
    }
    assertThat(net.runUntil(() -> client.closed && server.closed, 600_000))
        .as("client received %d, server %d", client.received, server.received)
        .isTrue();
    assertThat(server.received).isEqualTo(up);
    assertThat(client.received).isEqualTo(down);
    assertThat(server.read()).isEqualTo(client.sent());
    assertThat(client.read()).isEqualTo(server.sent());
    assertThat(client.failure).isNull();
    assertThat(server.failure).isNull();
    assertThat(node.sockets.sockOps().size()).isZero();
    net.close();
    assertThat(net.pool.inUse()).isZero();
  }

  @Test
  void whatIsSentAfterTheHandshakeBypassesTheLink() throws SocketException {
    SimulatedNetwork net = network(1);
    Recorder server = new Recorder();
    byte[] up = TcpTransferTest.bytes(5_000_000, 1);
    Recorder client = new Recorder(up, true);
    net.b.listen(Ipv4Address.ANY, 80, 16, _ -> server);
    net.a.connect(server(), client);
    assertThat(net.runUntil(() -> client.isOver() && server.isOver(), 60_000)).isTrue();
    assertThat(server.firstDifference(up)).isEqualTo(-1);
    // What the client wrote before the server's side was established went over the link.
    assertThat(net.counter(net.a, REDIRECTED)).isGreaterThan(4_500_000);
    assertThat(net.counter(net.a, "TcpOutSegs")).isLessThan(200);
  }

  @Test
  void aReplyBypassesTheLinkAtOnce() throws SocketException {
    SimulatedNetwork net = network(2);
    byte[] down = TcpTransferTest.bytes(100_000, 2);
    Recorder server = new Recorder(down, true);
    net.b.listen(
        Ipv4Address.ANY,
        80,
        16,
        connection -> {
          server.push(connection);
          return server;
        });
    Recorder client = new Recorder();
    net.a.connect(server(), client);
    assertThat(net.runUntil(() -> client.isOver() && server.isOver(), 60_000)).isTrue();
    assertThat(client.firstDifference(down)).isEqualTo(-1);
    assertThat(net.counter(net.b, REDIRECTED)).isEqualTo(100_000);
  }

  @Test
  void aPeerElsewhereIsSentSegments() throws SocketException {
    SimulatedNetwork net = network(3);
    node.maps.lxc().map().delete(new EndpointKey(SimulatedNetwork.B).encode());
    Recorder server = new Recorder();
    byte[] up = TcpTransferTest.bytes(100_000, 1);
    Recorder client = new Recorder(up, true);
    net.b.listen(Ipv4Address.ANY, 80, 16, _ -> server);
    net.a.connect(server(), client);
    assertThat(net.runUntil(() -> client.isOver() && server.isOver(), 60_000)).isTrue();
    assertThat(server.firstDifference(up)).isEqualTo(-1);
    // The server's side is in the map, for the client is here: but only its own data would use it.
    assertThat(net.counter(net.b, REDIRECTED)).isZero();
  }

  /** A reader that stops: the queue fills, the writer waits, and neither loses anything. */
  @Test
  void aReaderThatStopsHoldsTheWriterBack() throws SocketException {
    SimulatedNetwork net = network(4);
    byte[] up = TcpTransferTest.bytes(3_000_000, 1);
    TcpConnection[] accepted = new TcpConnection[1];
    Recorder server = new Recorder();
    Recorder client = new Recorder(up, true);
    net.b.listen(
        Ipv4Address.ANY,
        80,
        16,
        connection -> {
          accepted[0] = connection;
          return server;
        });
    net.a.connect(server(), client);
    assertThat(net.runUntil(() -> net.counter(net.a, REDIRECTED) > 0, 10_000)).isTrue();
    accepted[0].pauseReading();
    net.run(5_000);
    int before = server.received.size();
    assertThat(net.counter(net.a, REDIRECTED)).isLessThan(before + IngressQueue.LIMIT + 1L);
    net.run(5_000);
    assertThat(server.received.size()).isEqualTo(before);
    accepted[0].resumeReading();
    assertThat(net.runUntil(() -> client.isOver() && server.isOver(), 60_000)).isTrue();
    assertThat(server.firstDifference(up)).isEqualTo(-1);
  }

  /** RST is a segment; what was redirected before it is read before it is heeded. */
  @Test
  void whatWasSentBeforeAnAbortIsReadBeforeTheReset() throws SocketException {
    SimulatedNetwork net = network(5);
    Recorder client = new Recorder();
    byte[] last = TcpTransferTest.bytes(10_000, 5);
    Recorder server = new Recorder();
    net.b.listen(
        Ipv4Address.ANY,
        80,
        16,
        connection -> {
          net.b.schedule(
              100,
              () -> {
                assertThat(connection.write(last, 0, last.length)).isEqualTo(last.length);
                connection.abort();
              });
          return server;
        });
    net.a.connect(server(), client);
    assertThat(net.runUntil(client::isOver, 10_000)).isTrue();
    assertThat(client.failure).isEqualTo(SocketError.CONNECTION_RESET);
    assertThat(client.firstDifference(last)).isEqualTo(-1);
    assertThat(node.sockets.sockOps().size()).isZero();
  }

  /** Data for a process that closed is answered by RST, whichever way it would have come. */
  @Test
  void aWriteToAClosedPeerIsReset() throws SocketException {
    SimulatedNetwork net = network(6);
    Recorder server = new Recorder();
    Recorder client =
        new Recorder() {
          @Override
          public void connected(TcpConnection to) {
            connection = to;
          }

          @Override
          public void peerClosed(TcpConnection from) {
            from.write(new byte[1000], 0, 1000);
          }
        };
    net.b.listen(
        Ipv4Address.ANY,
        80,
        16,
        connection -> {
          net.b.schedule(100, connection::close);
          return server;
        });
    net.a.connect(server(), client);
    assertThat(net.runUntil(client::isOver, 10_000)).isTrue();
    assertThat(client.failure).isEqualTo(SocketError.BROKEN_PIPE);
    assertThat(server.received.size()).isZero();
  }

  /** Closing with something unread resets, also if that came past the link. */
  @Test
  void closingWithRedirectedBytesUnreadResets() throws SocketException {
    SimulatedNetwork net = network(7);
    Recorder client =
        new Recorder() {
          @Override
          public void connected(TcpConnection to) {
            super.connected(to);
            to.pauseReading();
            net.a.schedule(500, to::close);
          }
        };
    Recorder server = new Recorder(new byte[5000], false);
    net.b.listen(
        Ipv4Address.ANY,
        80,
        16,
        connection -> {
          server.push(connection);
          return server;
        });
    net.a.connect(server(), client);
    assertThat(net.runUntil(server::isOver, 10_000)).isTrue();
    assertThat(net.counter(net.b, REDIRECTED)).isEqualTo(5000);
    assertThat(server.failure).isEqualTo(SocketError.CONNECTION_RESET);
    assertThat(client.received.size()).isZero();
  }
}
