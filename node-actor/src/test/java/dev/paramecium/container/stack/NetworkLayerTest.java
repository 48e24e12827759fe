package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.PingSocket;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketError;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.container.socket.UdpHandler;
import dev.paramecium.container.socket.UdpSocket;
import dev.paramecium.packet.Wire;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** ARP, IPv4, ICMP and UDP between two stacks. */
class NetworkLayerTest {

  private final SimulatedNetwork net = new SimulatedNetwork(11);
  private final List<String> heard = new ArrayList<>();

  @AfterEach
  void nothingLeaks() {
    net.close();
    assertThat(net.pool.inUse()).isZero();
  }

  private PingHandler pings() {
    return new PingHandler() {
      @Override
      public void reply(Ipv4Address from, int sequence, int ttl, byte[] payload) {
        heard.add("reply " + from + " " + sequence + " ttl " + ttl + " " + payload.length);
      }

      @Override
      public void error(Ipv4Address from, int type, int code, int sequence) {
        heard.add("error " + from + " " + type + "/" + code + " " + sequence);
      }
    };
  }

  private UdpHandler datagrams() {
    return new UdpHandler() {
      @Override
      public void datagram(UdpSocket socket, SocketAddress from, byte[] payload) {
        heard.add(from.address() + " " + payload.length);
      }

      @Override
      public void error(UdpSocket socket, SocketAddress remote, SocketError error) {
        heard.add(remote + " " + error);
      }
    };
  }

  private String state(NetworkStack stack) {
    List<NamespaceView.Neighbour> neighbours = stack.neighbours();
    return neighbours.isEmpty() ? "none" : neighbours.getFirst().state();
  }

  @Test
  void aPingIsAnsweredAfterAddressResolution() throws SocketException {
    PingSocket ping = net.a.openPing(pings());
    ping.send(SimulatedNetwork.B, 1, 64, new byte[56]);
    assertThat(state(net.a)).isEqualTo("INCOMPLETE");
    net.run(100);
    assertThat(heard).containsExactly("reply 10.0.0.2 1 ttl 64 56");
    assertThat(net.a.neighbours().getFirst())
        .isEqualTo(
            new NamespaceView.Neighbour(
                SimulatedNetwork.B, "eth0", net.b.links().getLast().mac(), "REACHABLE"));
    assertThat(state(net.b)).as("who asked is known to who answered, and used").isEqualTo("DELAY");
  }

  @Test
  void anIdleNeighbourBecomesStaleAndIsProbedOnUse() throws SocketException {
    PingSocket ping = net.a.openPing(pings());
    ping.send(SimulatedNetwork.B, 1, 64, new byte[8]);
    net.run(60_000);
    assertThat(state(net.a)).isEqualTo("STALE");
    ping.send(SimulatedNetwork.B, 2, 64, new byte[8]);
    assertThat(state(net.a)).isEqualTo("DELAY");
    net.run(5_100);
    assertThat(state(net.a)).as("a unicast request was answered").isEqualTo("REACHABLE");
    assertThat(heard).hasSize(2);
  }

  @Test
  void aSilentNeighbourFailsAfterThreeRequests() throws SocketException {
    net.drop = _ -> true;
    PingSocket ping = net.a.openPing(pings());
    UdpSocket udp = net.a.bindUdp(Ipv4Address.ANY, 0, datagrams());
    ping.send(SimulatedNetwork.B, 7, 64, new byte[8]);
    udp.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[8]);
    net.run(2_999);
    assertThat(heard).isEmpty();
    net.run(1);
    assertThat(heard).containsExactly("error 10.0.0.1 3/1 7", "10.0.0.2:53 HOST_UNREACHABLE");
    assertThat(state(net.a)).isEqualTo("FAILED");
    assertThat(net.counter(net.a, "ArpOutPackets")).isEqualTo(3);
  }

  @Test
  void aConnectionToASilentNeighbourFailsWithNoRouteToHost() throws SocketException {
    net.drop = _ -> true;
    Recorder client = new Recorder();
    net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), client);
    net.run(3_000);
    assertThat(client.failure).isEqualTo(SocketError.HOST_UNREACHABLE);
  }

  @Test
  void tooManyWaitingDatagramsDropTheOldest() throws SocketException {
    net.drop = _ -> true;
    UdpSocket udp = net.a.bindUdp(Ipv4Address.ANY, 0, datagrams());
    for (int i = 0; i < 150; i++) {
      udp.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[i]);
    }
    assertThat(net.counter(net.a, "NeighUnresDiscards")).isEqualTo(49);
    assertThat(net.pool.inUse()).isEqualTo(101);
    net.run(3_000);
    assertThat(net.pool.inUse()).isZero();
  }

  @Test
  void largePingsAndDatagramsAreFragmentedAndReassembled() throws SocketException {
    net.b.bindUdp(Ipv4Address.ANY, 53, datagrams());
    UdpSocket udp = net.a.bindUdp(Ipv4Address.ANY, 0, datagrams());
    udp.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[65_507]);
    net.a.openPing(pings()).send(SimulatedNetwork.B, 3, 64, new byte[20_000]);
    net.run(100);
    assertThat(heard).containsExactly("10.0.0.1 65507", "reply 10.0.0.2 3 ttl 64 20000");
    assertThat(net.counter(net.b, "IpReasmOKs")).isEqualTo(2);
    assertThatThrownBy(() -> udp.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[65_508]))
        .isInstanceOf(SocketException.class)
        .hasMessageContaining("Message too long");
  }

  @Test
  void aMissingFragmentTimesOutWithAnIcmpError() throws SocketException {
    net.a.openPing(pings()).send(SimulatedNetwork.B, 1, 64, new byte[8]);
    net.run(100);
    int[] seen = {0};
    net.drop = frame -> frame.fromA() && seen[0]++ == 1;
    net.a.openPing(pings()).send(SimulatedNetwork.B, 3, 64, new byte[4_000]);
    net.run(30_100);
    assertThat(heard).last().isEqualTo("error 10.0.0.2 11/1 3");
    assertThat(net.counter(net.b, "SockFragInuse")).isZero();
    assertThat(net.counter(net.b, "IpReasmTimeout")).isEqualTo(1);
  }

  @Test
  void fragmentsInAnyOrderAndTwiceAreReassembled() throws SocketException {
    net.a.openPing(pings()).send(SimulatedNetwork.B, 1, 64, new byte[8]);
    net.run(100);
    net.faults = new SimulatedNetwork.Faults(0, 0.3, 0.5, 0);
    net.b.bindUdp(Ipv4Address.ANY, 53, datagrams());
    UdpSocket udp = net.a.bindUdp(Ipv4Address.ANY, 0, datagrams());
    for (int i = 0; i < 20; i++) {
      udp.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[30_000 + i]);
    }
    net.run(1_000);
    for (int i = 0; i < 20; i++) {
      assertThat(heard).contains("10.0.0.1 " + (30_000 + i));
    }
  }

  @Test
  void aDatagramToAnUnboundPortIsAnsweredByPortUnreachable() throws SocketException {
    UdpSocket udp = net.a.bindUdp(Ipv4Address.ANY, 0, datagrams());
    udp.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[8]);
    net.run(100);
    assertThat(heard).containsExactly("10.0.0.2:53 CONNECTION_REFUSED");
  }

  @Test
  void icmpErrorsAreLimitedToBurstsOfSixAndOneASecond() throws SocketException {
    UdpSocket udp = net.a.bindUdp(Ipv4Address.ANY, 0, datagrams());
    for (int i = 0; i < 20; i++) {
      udp.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[8]);
    }
    net.run(100);
    assertThat(heard).hasSize(6);
    net.run(2_000);
    for (int i = 0; i < 20; i++) {
      udp.send(new SocketAddress(SimulatedNetwork.B, 53), new byte[8]);
    }
    net.run(100);
    assertThat(heard).hasSize(8);
  }

  @Test
  void theNamespaceReachesItselfOverLoopback() throws SocketException {
    net.a.bindUdp(Ipv4Address.ANY, 53, datagrams());
    UdpSocket udp = net.a.bindUdp(Ipv4Address.ANY, 0, datagrams());
    udp.send(new SocketAddress(Ipv4Address.parse("127.0.0.1"), 53), new byte[4_000]);
    udp.send(new SocketAddress(SimulatedNetwork.A, 53), new byte[5]);
    net.a.openPing(pings()).send(SimulatedNetwork.A, 9, 64, new byte[5]);
    assertThat(heard).as("never out of a socket call").isEmpty();
    net.run(0);
    assertThat(heard).containsExactly("127.0.0.1 4000", "10.0.0.1 5", "reply 10.0.0.1 9 ttl 64 5");
    Recorder server = new Recorder(new byte[100_000], true);
    Recorder client = new Recorder(new byte[100_000], true);
    net.a.listen(
        Ipv4Address.parse("127.0.0.1"),
        80,
        8,
        connection -> {
          server.push(connection);
          return server;
        });
    net.a.connect(new SocketAddress(Ipv4Address.parse("127.0.0.1"), 80), client);
    assertThat(net.runUntil(() -> client.isOver() && server.isOver(), 5_000)).isTrue();
    assertThat(client.received.size()).isEqualTo(100_000);
    assertThat(server.received.size()).isEqualTo(100_000);
  }

  @Test
  void bindingTheSamePortTwiceIsRefused() throws SocketException {
    UdpSocket first = net.a.bindUdp(Ipv4Address.ANY, 53, datagrams());
    assertThatThrownBy(() -> net.a.bindUdp(SimulatedNetwork.A, 53, datagrams()))
        .isInstanceOf(SocketException.class)
        .hasMessageContaining("Address already in use");
    assertThatThrownBy(() -> net.a.bindUdp(SimulatedNetwork.B, 54, datagrams()))
        .isInstanceOf(SocketException.class)
        .hasMessageContaining("Cannot assign requested address");
    first.close();
    net.a.bindUdp(SimulatedNetwork.A, 53, datagrams());
    net.a.bindUdp(Ipv4Address.parse("127.0.0.1"), 53, datagrams());
    net.a.listen(Ipv4Address.ANY, 53, 1, _ -> new Recorder());
    assertThatThrownBy(() -> net.a.listen(SimulatedNetwork.A, 53, 1, _ -> new Recorder()))
        .isInstanceOf(SocketException.class)
        .hasMessageContaining("Address already in use");
  }

  @Test
  void ephemeralPortsAreInTheKernelsRangeAndEachUsedOnce() throws SocketException {
    List<Integer> ports = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      ports.add(net.a.bindUdp(Ipv4Address.ANY, 0, datagrams()).local().port());
    }
    assertThat(ports).doesNotHaveDuplicates().allMatch(port -> port >= 32_768 && port <= 60_999);
  }

  @Test
  void gratuitousAnnouncementsMoveAKnownNeighbourOnly() throws SocketException {
    byte[] announcement = arp(1, 0x0200_0000_00aaL, SimulatedNetwork.B, SimulatedNetwork.B);
    net.inject(net.a, announcement);
    assertThat(state(net.a)).as("nobody asked").isEqualTo("none");
    net.a.openPing(pings()).send(SimulatedNetwork.B, 1, 64, new byte[8]);
    net.run(50);
    net.inject(net.a, announcement);
    assertThat(net.a.neighbours().getFirst().mac()).hasToString("02:00:00:00:00:aa");
    assertThat(state(net.a)).isEqualTo("STALE");
  }

  private static byte[] arp(int operation, long mac, Ipv4Address sender, Ipv4Address target) {
    byte[] frame = new byte[42];
    for (int i = 0; i < 6; i++) {
      frame[i] = (byte) 0xff;
      frame[6 + i] = (byte) (mac >>> 40 - 8 * i);
      frame[22 + i] = (byte) (mac >>> 40 - 8 * i);
    }
    Wire.setU16(frame, 12, 0x0806);
    Wire.setI32(frame, 14, 0x0001_0800);
    Wire.setU16(frame, 18, 0x0604);
    Wire.setU16(frame, 20, operation);
    Wire.setI32(frame, 28, sender.value());
    Wire.setI32(frame, 38, target.value());
    return frame;
  }

  @Test
  void aPodSeesWhatTheCniPluginSetUp() {
    NetworkStack pod =
        NetworkStack.ofPod(
            new dev.paramecium.syscall.LinkInfo(
                42,
                "eth0",
                dev.paramecium.syscall.LinkInfo.Kind.VETH,
                dev.paramecium.abi.MacAddress.parse("f6:00:50:f9:92:a1"),
                1500,
                43,
                "cni-1",
                ""),
            Ipv4Address.parse("10.42.1.80"),
            Ipv4Address.parse("10.42.1.247"),
            1450,
            net,
            dev.paramecium.bpf.RandomSource.seeded(1),
            net.pool,
            (_, frame) -> net.pool.release(frame));
    assertThat(pod.routes().stream().map(NamespaceView.Route::destination).map(Object::toString))
        .containsExactly("0.0.0.0/0", "10.42.1.247/32");
    NamespaceView.Route route = pod.routeTo(Ipv4Address.parse("10.42.0.51"));
    assertThat(route).isNotNull();
    assertThat(route.gateway()).hasToString("10.42.1.247");
    assertThat(route.device()).isEqualTo("eth0");
    assertThat(route.source()).hasToString("10.42.1.80");
    NamespaceView.Route own = pod.routeTo(Ipv4Address.parse("10.42.1.80"));
    assertThat(own).isNotNull();
    assertThat(own.device()).isEqualTo("lo");
    assertThat(pod.addresses().stream().map(Object::toString))
        .containsExactly(
            "Address[device=lo, address=127.0.0.1, prefixLength=8, scope=host]",
            "Address[device=eth0, address=10.42.1.80, prefixLength=32, scope=global]");
    pod.close();
  }

  @Test
  void scheduledTasksRunInOrderAndCanBeCancelled() {
    net.a.schedule(20, () -> heard.add("later"));
    net.a.schedule(10, () -> heard.add("soon"));
    net.a.schedule(0, () -> heard.add("now"));
    net.a.schedule(15, () -> heard.add("never")).cancel();
    assertThat(heard).isEmpty();
    net.run(9);
    assertThat(heard).containsExactly("now");
    net.run(20);
    assertThat(heard).containsExactly("now", "soon", "later");
    assertThat(net.counter(net.a, "Timers")).isZero();
    assertThat(net.a.nextDeadlineNanos()).isEqualTo(NetworkStack.NO_DEADLINE);
  }

  @Test
  void aClosedNamespaceRefusesSocketsAndDropsFrames() throws SocketException {
    net.a.listen(Ipv4Address.ANY, 80, 1, _ -> new Recorder());
    net.a.close();
    assertThatThrownBy(
            () -> net.a.connect(new SocketAddress(SimulatedNetwork.B, 80), new Recorder()))
        .isInstanceOf(SocketException.class);
    net.inject(net.a, new byte[60]);
    assertThat(net.counter(net.a, "EthInNoDevice")).isEqualTo(1);
  }

  @Test
  void wrongSettingsAreRefusedInPlainWords() {
    assertThatThrownBy(() -> net.a.addAddress(77, SimulatedNetwork.A, 32))
        .hasMessage("this namespace has no interface 77; add it first");
    assertThatThrownBy(
            () ->
                net.a.addRoute(
                    new NamespaceView.Route(
                        dev.paramecium.abi.Ipv4Prefix.parse("10.0.0.0/8"),
                        null,
                        "eth7",
                        null,
                        "link",
                        "static"),
                    0))
        .hasMessageContaining("no interface \"eth7\"");
    assertThatThrownBy(() -> net.a.addInterface(net.a.links().getLast(), false))
        .hasMessageContaining("ifindex 2 is taken");
  }
}
