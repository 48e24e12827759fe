package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.LpmV4Key;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.bpf.XdpAction;
import dev.paramecium.datapath.underlay.MemoryNetwork;
import dev.paramecium.datapath.underlay.OuterHeaders;
import dev.paramecium.datapath.underlay.Underlay;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.map.PrefilterMaps;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.DatapathOptions.Xdp;
import dev.paramecium.syscall.Syscall;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What runs at eth0's XDP hook, between two nodes. */
final class XdpTest {

  private static final Ipv4Address STRANGER = Ipv4Address.parse("127.0.0.77");
  private static final int ETH0 = 2;
  private static final int UDP_FRAME = 60;
  private static final Xdp PREFILTER = new Xdp(true, false, false);

  private static void load(TestNode node, Xdp xdp) {
    DatapathOptions options = DatapathOptions.defaults(node.podCidr).withXdp(xdp);
    node.perform(
        replyTo ->
            new Syscall.LoadNodeDatapath(
                new DatapathConfig(
                    node.name,
                    node.ip,
                    node.routerIp,
                    node.podCidr,
                    TestNode.CLUSTER,
                    1500,
                    0,
                    options),
                replyTo));
  }

  private static int ping(TwoNodes nodes) {
    return nodes
        .one
        .exec(nodes.curl.containerId(), "ping", "-c", "1", "-W", "1", "10.42.0.51")
        .exitCode();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.13/32", "127.0.0.12/31", "127.0.0.0/24"})
  void prefilterDropsListedSourcesInTheDriverAndNobodyElses(String cidr) {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      load(nodes.one, PREFILTER);
      assertThat(ping(nodes)).isZero();
      String map = cidr.endsWith("/32") ? MapNames.CIDR_V4_FIX : MapNames.CIDR_V4_DYN;
      byte[] key = new LpmV4Key(Ipv4Prefix.parse(cidr)).encode();
      nodes.one.update(map, key, new byte[1]);
      assertThat(ping(nodes)).isNotZero();
      assertThat(nodes.one.counters().get("drop_xdp_drop")).isPositive();
      assertThat(nodes.one.exec("", "cilium", "bpf", "metrics", "list").stdout())
          .as("Cilium counts nothing")
          .doesNotContain("denied");

      nodes.one.perform(replyTo -> new Syscall.UpdateMap(map, List.of(), List.of(key), replyTo));
      assertThat(ping(nodes)).isZero();
    }
  }

  @Test
  void toolsShowTheProgramUntilItIsTurnedOff() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      load(nodes.one, PREFILTER);
      String id =
          nodes
              .one
              .exec("", "bpftool", "net", "show", "dev", "eth0")
              .stdout()
              .replaceFirst("(?s)xdp:\neth0\\(2\\) driver id (\\d+)\n\ntc:\neth0\\(2\\).*", "$1");
      assertThat(id).matches("\\d+");
      assertThat(nodes.one.exec("", "bpftool", "prog", "show", "id", id).stdout())
          .startsWith(id + ": xdp  name bpf_xdp_entry  tag ");
      assertThat(nodes.one.exec("", "ip", "link", "show", "eth0").stdout())
          .contains(" mtu 1500 xdp qdisc ")
          .containsPattern("\n    prog/xdp id " + id + " tag [0-9a-f]{16} jited ");
      assertThat(nodes.one.exec("", "ip", "addr", "show", "eth0").stdout())
          .contains(" mtu 1500 xdp/id:" + id + " qdisc ");
      assertThat(nodes.one.exec("", "bpftool", "map", "show").stdout())
          .contains("name cilium_cidr_v4_", "max_entries 20971520", "max_entries 65536");

      load(nodes.one, new Xdp(true, false, true));
      assertThat(nodes.one.exec("", "bpftool", "net", "show", "dev", "eth0").stdout())
          .startsWith("xdp:\neth0(2) generic id ");
      load(nodes.one, Xdp.NONE);
      assertThat(nodes.one.exec("", "bpftool", "net", "show", "dev", "eth0").stdout())
          .startsWith("xdp:\n\ntc:\n");
      assertThat(nodes.one.exec("", "ip", "link", "show", "eth0").stdout()).doesNotContain("xdp");
      assertThat(ping(nodes)).isZero();
    }
  }

  /** Sends UDP back in the driver, with the action that it is made with. */
  private static Program returning(int action) {
    return packet -> {
      if (packet.length < UDP_FRAME || packet.u8(23) != IpProtocol.UDP) {
        return XdpAction.PASS;
      }
      long mac = packet.mac(Ethernet.DESTINATION);
      packet.setMac(Ethernet.DESTINATION, packet.mac(Ethernet.SOURCE));
      packet.setMac(Ethernet.SOURCE, mac);
      packet.redirectIfindex = ETH0;
      return action;
    };
  }

  /** A node with such a program, and somebody on the same network who sends it a datagram. */
  private static void exchange(int action, BiConsumer<TestNode, List<Long>> check) {
    MemoryNetwork network = new MemoryNetwork();
    SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 8);
    List<Long> destinations = new CopyOnWriteArrayList<>();
    Underlay stranger = network.attach(STRANGER, pool);
    stranger.start(
        frames -> {
          destinations.add(frames.get(0).mac(Ethernet.DESTINATION));
          pool.releaseWithPackets(frames);
        });
    RealObjects objects =
        new RealObjects() {
          @Override
          public List<ProgramSection> xdp(
              ProgramContext context,
              ProgramArray calls,
              @Nullable PrefilterMaps prefilter,
              boolean acceleration) {
            return List.of(
                ProgramSection.attached(
                    "bpf_xdp.o", "from-netdev", "bpf_xdp_entry", returning(action)));
          }
        };
    try (TwoNodes nodes =
        new TwoNodes(
            config ->
                config
                    .withObjects(objects)
                    .withNetwork(own -> network.attach(config.nodeIp(), own)))) {
      load(nodes.one, PREFILTER);
      PacketBatch batch = pool.takeBatch();
      batch.add(datagramTo(nodes.one.ip, pool));
      stranger.send(batch);
      await()
          .untilAsserted(
              () ->
                  assertThat(nodes.one.counters())
                      .containsEntry("rx_packets_eth0", 1L)
                      .containsEntry("buffers_in_use", 0L));
      check.accept(nodes.one, destinations);
    }
  }

  private static SkBuff datagramTo(Ipv4Address node, SkBuffPool pool) {
    byte[] frame = new byte[UDP_FRAME];
    int at =
        new Ethernet.Header(OuterHeaders.macOf(node), OuterHeaders.macOf(STRANGER), EtherType.IPV4)
            .encode(frame, 0);
    new Ipv4.Header(1, 64, IpProtocol.UDP, STRANGER, node, UDP_FRAME - at - 20).encode(frame, at);
    SkBuff packet = Objects.requireNonNull(pool.take());
    packet.setBytes(frame, 0, frame.length);
    return packet;
  }

  @ParameterizedTest
  @ValueSource(ints = {XdpAction.TX, XdpAction.REDIRECT})
  void whatXdpSendsLeavesThroughTheDeviceAndTheStackNeverSeesIt(int action) {
    exchange(
        action,
        (node, returned) -> {
          assertThat(returned).containsExactly(OuterHeaders.macOf(STRANGER.value()));
          assertThat(node.counters())
              .containsEntry("tx_packets_eth0", 1L)
              .containsEntry("EthInFrames", 0L);
        });
  }

  @Test
  void whatXdpPassesReachesTheStack() {
    exchange(
        XdpAction.PASS,
        (node, returned) -> {
          assertThat(returned).isEmpty();
          assertThat(node.counters()).containsEntry("EthInFrames", 1L);
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {XdpAction.ABORTED, 17, -3})
  void anythingThatIsNoActionAborts(int action) {
    exchange(
        action,
        (node, returned) -> {
          assertThat(returned).isEmpty();
          assertThat(node.counters()).containsEntry("drop_xdp_aborted", 1L);
        });
  }

  private static TestNode accelerated(ActorTestKit kit, MemoryNetwork network) {
    Ipv4Address ip = Ipv4Address.parse("192.168.1.12");
    return new TestNode(
        kit,
        KernelConfig.of("one", ip, 1).withNetwork(own -> network.attach(ip, own)),
        "10.42.1.0/24",
        options ->
            options
                .withTunnel(false)
                .withNodePort(DatapathOptions.NodePort.DEFAULT)
                .withXdp(new Xdp(false, true, false)));
  }

  private static void arrive(TestNode node, Consumer<SkBuff> fill) {
    PacketBatch batch = node.datapath().pool().takeBatch();
    SkBuff packet = Objects.requireNonNull(node.datapath().pool().take());
    fill.accept(packet);
    batch.add(packet);
    Objects.requireNonNull(node.datapath().devices().get(ETH0)).receive(batch);
  }

  private static void awaitIdle(TestNode node) {
    await()
        .untilAsserted(
            () ->
                assertThat(node.counters())
                    .containsEntry("queue_waiting_devices", 0L)
                    .containsEntry("buffers_in_use", 0L));
  }

  @Test
  void nodePortAtXdpDropsWhatIsTooShortForAnIpv4Header() {
    ActorTestKit kit = ActorTestKit.create();
    try {
      TestNode node = accelerated(kit, new MemoryNetwork());
      byte[] frame = new byte[20];
      frame[12] = 8;
      arrive(node, packet -> packet.setBytes(frame, 0, frame.length));
      awaitIdle(node);
      assertThat(node.counters()).containsEntry("drop_xdp_drop", 1L);
      assertThat(node.exec("", "cilium", "bpf", "metrics", "list").stdout())
          .contains("Invalid packet   INGRESS     1");
    } finally {
      kit.shutdownTestKit();
    }
  }

  @Test
  void nodePortAtXdpTakesAnyFrame() {
    long seed = Long.getLong("paramecium.hostile.seed", 47110815L);
    System.out.println("seed " + seed);
    ActorTestKit kit = ActorTestKit.create();
    try {
      TestNode node = accelerated(kit, new MemoryNetwork());
      RawFrames frames =
          new RawFrames(
              RandomSource.seeded(seed),
              new int[] {node.ip.value(), STRANGER.value(), 0x0a2a_0150},
              new long[] {OuterHeaders.macOf(node.ip.value())});
      for (int i = 0; i < 20_000; i++) {
        arrive(node, frames::fill);
        if (i % 512 == 0) {
          awaitIdle(node);
        }
      }
      awaitIdle(node);
      assertThat(node.counters()).containsEntry("drop_program_crash", 0L);
      assertThat(node.counters().get("drop_xdp_drop")).isPositive();
      assertThat(node.counters().get("rx_packets_eth0")).isGreaterThan(10_000L);
    } finally {
      kit.shutdownTestKit();
    }
  }
}
