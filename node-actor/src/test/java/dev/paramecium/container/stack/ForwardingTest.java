package dev.paramecium.container.stack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.process.NamespaceView.Route;
import dev.paramecium.container.socket.PingHandler;
import dev.paramecium.container.socket.SocketAddress;
import dev.paramecium.container.socket.SocketException;
import dev.paramecium.packet.Wire;
import dev.paramecium.syscall.LinkInfo;
import dev.paramecium.syscall.LinkInfo.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The node's own namespace between a pod and another node.
 *
 * <pre>
 *   pod 10.42.1.80 eth0 -- lxc1 | host 10.42.1.247 cilium_host, 192.168.1.12 eth0 | -- eth0 192.168.1.13
 * </pre>
 */
class ForwardingTest implements Clock {

  private static final Ipv4Address POD = Ipv4Address.parse("10.42.1.80");
  private static final Ipv4Address ROUTER = Ipv4Address.parse("10.42.1.247");
  private static final Ipv4Address NODE = Ipv4Address.parse("192.168.1.12");
  private static final Ipv4Address OTHER_NODE = Ipv4Address.parse("192.168.1.13");
  private static final int LXC = 29;
  private static final int NODE_ETH0 = 2;
  private static final int CILIUM_HOST = 4;

  private record Hop(NetworkStack to, int ifindex, SkBuff frame) {}

  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 4096);
  private final ArrayDeque<Hop> flights = new ArrayDeque<>();
  private final List<byte[]> onCiliumHost = new ArrayList<>();
  private final List<String> heard = new ArrayList<>();
  private long now = 1_000_000_000_000L;
  private NetworkStack pod;
  private NetworkStack host;
  private NetworkStack other;

  @BeforeEach
  void wire() {
    pod =
        NetworkStack.ofPod(
            link(28, "eth0", Kind.VETH, 1500),
            POD,
            ROUTER,
            1450,
            this,
            RandomSource.seeded(1),
            pool,
            (_, frame) -> flights.add(new Hop(host, LXC, frame)));
    host = new NetworkStack("", this, RandomSource.seeded(2), pool, this::fromHost);
    host.addInterface(link(NODE_ETH0, "eth0", Kind.ETHERNET, 1500), false);
    host.addInterface(link(CILIUM_HOST, "cilium_host", Kind.VETH, 1500), true);
    host.addInterface(link(LXC, "lxc1", Kind.VETH, 1500), false);
    host.addAddress(NODE_ETH0, NODE, 24);
    host.addAddress(CILIUM_HOST, ROUTER, 32);
    route(host, "10.42.0.0/24", ROUTER, "cilium_host", ROUTER, 1450);
    route(host, "10.42.1.80/32", null, "lxc1", ROUTER, 0);
    host.setForwarding(true);
    other =
        new NetworkStack(
            "other",
            this,
            RandomSource.seeded(3),
            pool,
            (_, frame) -> flights.add(new Hop(host, NODE_ETH0, frame)));
    other.addInterface(link(2, "eth0", Kind.ETHERNET, 1500), false);
    other.addAddress(2, OTHER_NODE, 24);
    route(other, "10.42.1.0/24", NODE, "eth0", null, 0);
  }

  private static LinkInfo link(int ifindex, String name, Kind kind, int mtu) {
    long entropy = ifindex * 1000L + name.length();
    return new LinkInfo(
        ifindex, name, kind, MacAddress.locallyAdministered(entropy), mtu, 0, "", "");
  }

  private static void route(
      NetworkStack stack,
      String to,
      Ipv4Address gateway,
      String device,
      Ipv4Address source,
      int mtu) {
    stack.addRoute(
        new Route(Ipv4Prefix.parse(to), gateway, device, source, "global", "static"), mtu);
  }

  private void fromHost(int ifindex, SkBuff frame) {
    switch (ifindex) {
      case LXC -> flights.add(new Hop(pod, 28, frame));
      case NODE_ETH0 -> flights.add(new Hop(other, 2, frame));
      default -> {
        onCiliumHost.add(frame.toByteArray());
        pool.release(frame);
      }
    }
  }

  @AfterEach
  void nothingLeaks() {
    for (NetworkStack stack : List.of(pod, host, other)) {
      stack.close();
    }
    assertThat(pool.inUse()).isZero();
  }

  @Override
  public long nanos() {
    return now;
  }

  @Override
  public long epochMs() {
    return now / 1_000_000;
  }

  private void run(long ms) {
    long end = now + ms * 1_000_000;
    while (true) {
      Hop hop = flights.poll();
      if (hop != null) {
        hop.to().receive(hop.ifindex(), hop.frame());
        continue;
      }
      long next = end + 1;
      for (NetworkStack stack : List.of(pod, host, other)) {
        next = Math.min(next, stack.nextDeadlineNanos());
      }
      if (next > end) {
        now = end;
        return;
      }
      now = Math.max(now, next);
      for (NetworkStack stack : List.of(pod, host, other)) {
        stack.runTimers();
      }
    }
  }

  private PingHandler pings() {
    return new PingHandler() {
      @Override
      public void reply(Ipv4Address from, int sequence, int ttl, byte[] payload) {
        heard.add("reply " + from + " ttl " + ttl);
      }

      @Override
      public void error(Ipv4Address from, int type, int code, int sequence) {
        heard.add("error " + from + " " + type + "/" + code);
      }
    };
  }

  @Test
  void nodesPingEachOther() throws SocketException {
    host.openPing(pings()).send(OTHER_NODE, 1, 64, new byte[56]);
    run(10);
    assertThat(heard).containsExactly("reply 192.168.1.13 ttl 64");
  }

  @Test
  void theHostReachesItsPodFromTheRouterAddress() throws SocketException {
    host.openPing(pings()).send(POD, 1, 64, new byte[56]);
    run(10);
    assertThat(heard).containsExactly("reply 10.42.1.80 ttl 64");
    Recorder server = new Recorder();
    Recorder client = new Recorder(new byte[100_000], true);
    pod.listen(Ipv4Address.ANY, 80, 8, _ -> server);
    host.connect(new SocketAddress(POD, 80), client);
    run(5_000);
    assertThat(server.received.size()).isEqualTo(100_000);
    assertThat(client.failure).isNull();
  }

  @Test
  void aForwardedDatagramLosesOneHop() throws SocketException {
    pod.openPing(pings()).send(OTHER_NODE, 1, 64, new byte[56]);
    run(10);
    assertThat(heard).containsExactly("reply 192.168.1.13 ttl 63");
  }

  @Test
  void tcpCrossesTheHost() throws SocketException {
    byte[] bytes = TcpTransferTest.bytes(200_000, 9);
    Recorder server = new Recorder();
    Recorder client = new Recorder(bytes, true);
    other.listen(Ipv4Address.ANY, 80, 8, _ -> server);
    pod.connect(new SocketAddress(OTHER_NODE, 80), client);
    run(5_000);
    assertThat(server.firstDifference(bytes)).isEqualTo(-1);
  }

  @Test
  void aDatagramOnItsLastHopIsReported() throws SocketException {
    pod.openPing(pings()).send(OTHER_NODE, 1, 1, new byte[56]);
    run(10);
    assertThat(heard).containsExactly("error 10.42.1.247 11/0");
  }

  @Test
  void aDestinationWithoutRouteIsReported() throws SocketException {
    pod.openPing(pings()).send(Ipv4Address.parse("172.16.0.1"), 1, 64, new byte[56]);
    run(10);
    assertThat(heard).containsExactly("error 10.42.1.247 3/0");
  }

  @Test
  void aSilentNextHopIsReportedToTheSender() throws SocketException {
    pod.openPing(pings()).send(Ipv4Address.parse("192.168.1.99"), 1, 64, new byte[56]);
    run(3_100);
    assertThat(heard).containsExactly("error 10.42.1.247 3/1");
  }

  @Test
  void framesOnANoarpDeviceCarryItsOwnMac() throws SocketException {
    host.openPing(pings()).send(Ipv4Address.parse("10.42.0.51"), 1, 64, new byte[56]);
    run(10);
    assertThat(onCiliumHost).hasSize(1);
    byte[] frame = onCiliumHost.getFirst();
    long own = link(CILIUM_HOST, "cilium_host", Kind.VETH, 1500).mac().value();
    assertThat((long) Wire.u16(frame, 0) << 32 | Wire.i32(frame, 2) & 0xffff_ffffL).isEqualTo(own);
    assertThat(Wire.i32(frame, 26)).as("source").isEqualTo(ROUTER.value());
    host.addNeighbour(CILIUM_HOST, ROUTER, MacAddress.parse("02:00:00:00:00:07"));
    host.openPing(pings()).send(Ipv4Address.parse("10.42.0.51"), 1, 64, new byte[56]);
    assertThat(onCiliumHost.getLast()).startsWith(2, 0, 0, 0, 0, 7);
  }

  @Test
  void aNarrowNextHopMakesTheSenderSmaller() throws SocketException {
    route(host, "192.168.1.13/32", null, "eth0", null, 1000);
    byte[] bytes = TcpTransferTest.bytes(100_000, 9);
    Recorder server = new Recorder();
    Recorder client = new Recorder(bytes, true);
    other.listen(Ipv4Address.ANY, 80, 8, _ -> server);
    pod.connect(new SocketAddress(OTHER_NODE, 80), client);
    run(5_000);
    assertThat(server.firstDifference(bytes)).isEqualTo(-1);
    assertThat(host.counters().get("IpFragFails")).as("frag needed was sent").isPositive();
  }

  @Test
  void datagramsThatMayBeCutAreFragmentedOnTheWay() throws SocketException {
    route(host, "192.168.1.13/32", null, "eth0", null, 600);
    pod.openPing(pings()).send(OTHER_NODE, 1, 64, new byte[1_400]);
    run(10);
    assertThat(heard).containsExactly("reply 192.168.1.13 ttl 63");
    assertThat(host.counters().get("IpFragCreates")).isEqualTo(3);
  }

  /** From now on the other node knows no way back to pods. */
  private void masquerade(String exclusion) {
    other.removeRoute(Ipv4Prefix.parse("10.42.1.0/24"));
    host.masquerade(Ipv4Prefix.parse("10.42.1.0/24"), Ipv4Prefix.parse(exclusion));
  }

  @Test
  void whatAPodSendsOutsideComesFromTheNode() throws SocketException {
    masquerade("10.42.0.0/16");
    pod.openPing(pings()).send(OTHER_NODE, 1, 64, new byte[56]);
    run(10);
    assertThat(heard).containsExactly("reply 192.168.1.13 ttl 63");
    byte[] bytes = TcpTransferTest.bytes(200_000, 9);
    Recorder server = new Recorder();
    Recorder client = new Recorder(bytes, true);
    List<Ipv4Address> clients = new ArrayList<>();
    other.listen(
        Ipv4Address.ANY,
        80,
        8,
        socket -> {
          clients.add(socket.remote().address());
          return server;
        });
    pod.connect(new SocketAddress(OTHER_NODE, 80), client);
    run(5_000);
    assertThat(server.firstDifference(bytes)).isEqualTo(-1);
    assertThat(clients).containsExactly(NODE);
  }

  @Test
  void fragmentsOfAMasqueradedDatagramFindTheirWayBothWays() throws SocketException {
    masquerade("10.42.0.0/16");
    pod.openPing(pings()).send(OTHER_NODE, 1, 64, new byte[4_000]);
    run(10);
    assertThat(heard).containsExactly("reply 192.168.1.13 ttl 63");
  }

  @Test
  void anErrorAboutAMasqueradedPacketIsThePods() throws SocketException {
    masquerade("10.42.0.0/16");
    other.setForwarding(true);
    route(host, "172.16.0.0/12", OTHER_NODE, "eth0", null, 0);
    pod.openPing(pings()).send(Ipv4Address.parse("172.16.0.1"), 1, 2, new byte[56]);
    run(10);
    assertThat(heard).containsExactly("error 192.168.1.13 11/0");
  }

  @Test
  void anAnswerToTheOutsideAndAnExcludedDestinationSeeThePodsOwnAddress() throws SocketException {
    host.masquerade(Ipv4Prefix.parse("10.42.1.0/24"), Ipv4Prefix.parse("10.42.0.0/16"));
    other.openPing(pings()).send(POD, 1, 64, new byte[56]);
    run(10);
    assertThat(heard).as("an answer is not masqueraded").containsExactly("reply 10.42.1.80 ttl 63");
    heard.clear();
    masquerade("192.168.1.0/24");
    pod.openPing(pings()).send(OTHER_NODE, 1, 64, new byte[56]);
    run(10);
    assertThat(heard).as("there is no way back").isEmpty();
  }

  @Test
  void withoutForwardingStrangersAreDropped() throws SocketException {
    host.setForwarding(false);
    pod.openPing(pings()).send(OTHER_NODE, 1, 64, new byte[56]);
    run(10);
    assertThat(heard).isEmpty();
    assertThat(host.counters().get("IpInAddrErrors")).isEqualTo(1);
  }

  @Test
  void anInterfaceThatGoesTakesItsRoutesAndNeighboursAlong() throws SocketException {
    host.openPing(pings()).send(POD, 1, 64, new byte[56]);
    run(10);
    assertThat(host.neighbours()).hasSize(1);
    host.removeInterface(LXC);
    assertThat(host.neighbours()).isEmpty();
    assertThat(host.routeTo(POD)).isNull();
    assertThat(host.links()).hasSize(3);
  }
}
