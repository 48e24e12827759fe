package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.datapath.DevicePort;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.underlay.MemoryNetwork;
import dev.paramecium.datapath.underlay.OuterHeaders;
import dev.paramecium.datapath.underlay.Underlay;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.syscall.MapEntry;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Random and mutated frames at every device of a node: from the underlay, plain and inside VXLAN,
 * and as a raw socket, a driver or a redirect hands them to any device in either direction.
 */
final class HostileFramesTest {

  /** Of both tests together, a fifth over the underlay: a million in CI, elsewhere some seconds. */
  private static final int FRAMES =
      Integer.getInteger(
          "paramecium.hostile.frames", "true".equals(System.getenv("CI")) ? 1_000_000 : 100_000);

  private static final int UNDERLAY_FRAMES = FRAMES / 5;
  private static final int DEVICE_FRAMES = FRAMES - UNDERLAY_FRAMES;

  /** How many frames are under way at once: fewer than a device's queue takes. */
  private static final int WINDOW = 1024;

  private static final long SEED = Long.getLong("paramecium.hostile.seed", 47110815L);
  private static final Ipv4Address STRANGER = Ipv4Address.parse("127.0.0.77");
  private static final int ECHO_LENGTH = 42;
  private static final int HEALTH_IDENTITY = 4;

  private static final List<Ingress> HOOKS =
      List.of(
          new Ingress("eth0", "bpf_netdev_eth0.o:[from-netdev]"),
          new Ingress("cilium_net", "bpf_host_cilium_net.o:[to-host]"),
          new Ingress("cilium_host", "bpf_host.o:[to-host]"),
          new Ingress("cilium_vxlan", "bpf_overlay.o:[from-overlay]"),
          new Ingress("lxc", "bpf_lxc.o:[from-container]"));

  private final RandomSource random = RandomSource.seeded(SEED);

  @Test
  void everyFrameIsDeliveredOrCountedAndNodesGoOn() {
    System.out.println("seed " + SEED);
    MemoryNetwork network = new MemoryNetwork();
    AtomicReference<SkBuffPool> victimPool = new AtomicReference<>();
    SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 1024);
    Underlay stranger = network.attach(STRANGER, pool);
    stranger.start(pool::releaseWithPackets);
    try (TwoNodes nodes =
        new TwoNodes(
            config ->
                config.withNetwork(
                    own -> {
                      victimPool.compareAndSet(null, own);
                      return network.attach(config.nodeIp(), own);
                    }))) {
      for (int i = 0; i < UNDERLAY_FRAMES; i++) {
        PacketBatch batch = pool.takeBatch();
        batch.add(hostile(pool, nodes, i));
        stranger.send(batch);
        if (i % 512 == 0) {
          settle(() -> nodes.one.datapath().pool().inUse() < WINDOW);
        }
      }
      await()
          .untilAsserted(
              () ->
                  assertThat(nodes.one.counters())
                      .containsEntry("queue_waiting_devices", 0L)
                      .containsEntry("queue_waiting_netns", 0L));
      assertThat(nodes.one.counters())
          .containsEntry("drop_program_crash", 0L)
          .containsEntry("queue_drop_devices", 0L);
      // A hostile frame may make a node say something to a node, itself included.
      long own =
          nodes.one.counters().get("tx_packets_eth0") + nodes.two.counters().get("tx_packets_eth0");
      assertThat(
              nodes.one.counters().get("rx_packets_eth0")
                  + nodes.one.counters().get("drop_frame_too_long"))
          .isBetween((long) UNDERLAY_FRAMES, UNDERLAY_FRAMES + own);
      assertThat(nodes.one.counters().get("drop_vxlan_malformed")).isPositive();
      assertThat(nodes.one.counters().get("drop_tc_act_shot")).isPositive();
      TestNode.Outcome ping =
          nodes.one.exec(nodes.curl.containerId(), "ping", "-c", "1", "-W", "2", "10.42.0.51");
      assertThat(ping.exitCode()).as("%s %s", ping, nodes.one.counters()).isZero();
    }
    SkBuffPool victims = victimPool.get();
    await().untilAsserted(() -> assertThat(victims.inUse()).isZero());
    assertThat(pool.inUse()).isZero();
  }

  @Test
  void everyDeviceTakesAnyFrameInBothDirections() {
    System.out.println("seed " + SEED);
    MemoryNetwork network = new MemoryNetwork();
    List<SkBuffPool> pools = new CopyOnWriteArrayList<>();
    try (TwoNodes nodes =
        new TwoNodes(
            config ->
                config.withNetwork(
                    own -> {
                      pools.add(own);
                      return network.attach(config.nodeIp(), own);
                    }))) {
      TestNode.Pod health =
          nodes.one.startPod("_health", 4, HEALTH_IDENTITY, "10.42.1.4", "kennethreitz/httpbin");
      NodeDatapath node = nodes.one.datapath();
      List<DevicePort> devices = node.devices().all();
      assertThat(devices.stream().map(device -> device.link().name()))
          .containsExactly(
              "lo",
              "eth0",
              "cilium_net",
              "cilium_host",
              "cilium_vxlan",
              "eth0",
              "lxccurl",
              "eth0",
              "lxc_health");
      RawFrames frames = framesFor(nodes, health, devices);
      Map<DevicePort, Long> received = new HashMap<>();
      for (int given = 0; given < DEVICE_FRAMES; ) {
        DevicePort device = devices.get(below(devices.size()));
        int count = Math.min(1 + below(PacketBatch.CAPACITY), DEVICE_FRAMES - given);
        PacketBatch batch = node.pool().takeBatch();
        for (int i = 0; i < count; i++) {
          SkBuff packet = node.pool().take();
          assertThat(packet).isNotNull();
          frames.fill(packet);
          batch.add(packet);
        }
        if (below(2) == 0) {
          device.transmit(batch);
        } else {
          device.receive(batch);
          received.merge(device, (long) count, Long::sum);
        }
        given += count;
        settle(() -> node.pool().inUse() < WINDOW);
      }
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> {
                assertThat(node.pool().inUse()).isZero();
                assertEveryFrameIsAccountedFor(nodes.one, received);
              });
      assertThat(nodes.one.counters())
          .containsEntry("drop_program_crash", 0L)
          .containsEntry("queue_drop_devices", 0L)
          .containsEntry("queue_drop_netns", 0L)
          .containsEntry("drop_no_buffer", 0L);
      for (String[] fromTo :
          new String[][] {
            {nodes.curl.containerId(), "10.42.0.51"},
            {nodes.curl.containerId(), "10.42.1.4"},
            {"", "10.42.1.4"},
            {"", "10.42.0.51"}
          }) {
        TestNode.Outcome ping = nodes.one.exec(fromTo[0], "ping", "-c", "1", "-W", "2", fromTo[1]);
        assertThat(ping.exitCode())
            .as("%s to %s: %s %s", fromTo[0], fromTo[1], ping, nodes.one.counters())
            .isZero();
      }
    }
    for (SkBuffPool pool : pools) {
      await().untilAsserted(() -> assertThat(pool.inUse()).isZero());
    }
  }

  /** Frames between all that there is on both nodes, and a few that nobody has. */
  private RawFrames framesFor(TwoNodes nodes, TestNode.Pod health, List<DevicePort> devices) {
    int[] addresses = {
      nodes.curl.ip().value(),
      health.ip().value(),
      nodes.httpbin.ip().value(),
      nodes.one.ip.value(),
      nodes.two.ip.value(),
      nodes.one.routerIp.value(),
      nodes.two.routerIp.value(),
      Ipv4Address.parse("10.42.1.99").value(),
      Ipv4Address.parse("127.0.0.1").value(),
      Ipv4Address.parse("224.0.0.1").value(),
      0,
      -1
    };
    long[] macs =
        LongStream.concat(
                devices.stream().mapToLong(device -> device.link().mac().value()),
                LongStream.of(
                    OuterHeaders.macOf(nodes.two.ip).value(),
                    0xffff_ffff_ffffL,
                    0L,
                    0x0100_5e00_0001L))
            .toArray();
    return new RawFrames(random, addresses, macs);
  }

  /**
   * What goes into one end of a veth pair comes out of the other, what comes out of a device is
   * seen by its program, and what a program drops has a reason in cilium_metrics.
   */
  private static void assertEveryFrameIsAccountedFor(
      TestNode one, Map<DevicePort, Long> receivedFromTest) {
    NodeDatapath node = one.datapath();
    for (DevicePort device : node.devices().all()) {
      DevicePort peer = node.devices().get(device.link().peerIfindex());
      if (peer != null) {
        assertThat(device.counters().rxPackets() + device.counters().rxDropped())
            .as("received by %s", device.link())
            .isEqualTo(peer.counters().txPackets() + receivedFromTest.getOrDefault(device, 0L));
      }
    }
    for (Ingress hook : HOOKS) {
      assertThat(hook.runs(node)).as(hook.toString()).isEqualTo(hook.seen(node)).isPositive();
    }
    List<MapEntry> metrics = one.call(replyTo -> new Syscall.DumpMap(MapNames.METRICS, replyTo));
    long reasons =
        metrics.stream()
            .filter(entry -> isDrop(MetricsKey.decode(entry.key()).reason()))
            .mapToLong(entry -> MetricsValue.sumOf(entry.value()).count())
            .sum();
    assertThat(one.counters().get("drop_tc_act_shot")).isEqualTo(reasons).isPositive();
  }

  /**
   * Drop reasons begin at 130. As in Cilium, a helper's errno is one too: 14, EFAULT, of a packet
   * that ends before its ports.
   */
  private static boolean isDrop(int reason) {
    return reason > DropReason.MISSED_CUSTOM_TAIL_CALL;
  }

  /** A device's ingress, and the program that sees all that comes in there. */
  private record Ingress(String device, String program) {

    long runs(NodeDatapath node) {
      return node.programs().all().stream()
          .filter(loaded -> loaded.name().equals(program))
          .mapToLong(loaded -> loaded.statistics().runCount())
          .sum();
    }

    long seen(NodeDatapath node) {
      return node.devices().all().stream()
          .filter(port -> port.link().netns().isEmpty() && port.link().name().startsWith(device))
          .mapToLong(port -> port.counters().rxPackets())
          .sum();
    }
  }

  private static void settle(BooleanSupplier condition) {
    if (!condition.getAsBoolean()) {
      await()
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(1))
          .until(condition::getAsBoolean);
    }
  }

  /** A frame for node 1: noise, or an echo request to one of its addresses with bytes changed. */
  private SkBuff hostile(SkBuffPool pool, TwoNodes nodes, int number) {
    SkBuff packet = pool.take();
    assertThat(packet).isNotNull();
    if (number % 4 == 0) {
      byte[] noise = new byte[below(1500)];
      for (int i = 0; i < noise.length; i++) {
        noise[i] = (byte) random.nextInt();
      }
      packet.setBytes(noise, 0, noise.length);
    } else {
      int[] targets = {
        nodes.curl.ip().value(), nodes.one.ip.value(), nodes.one.routerIp.value(), random.nextInt()
      };
      packet.setBytes(echo(targets[number % targets.length]), 0, ECHO_LENGTH);
      for (int changes = below(6); changes > 0; changes--) {
        packet.setU8(below(packet.length), random.nextInt());
      }
      if (below(8) == 0) {
        packet.trim(below(packet.length));
      }
    }
    boolean tunnelled = number % 2 == 0;
    if (tunnelled) {
      packet.push(8);
      packet.setI32(0, below(16) == 0 ? 0 : 0x0800_0000);
      packet.setI32(4, (below(4) == 0 ? random.nextInt() : TwoNodes.HTTPBIN_IDENTITY) << 8);
      OuterHeaders.push(
          packet, STRANGER.value(), nodes.one.ip.value(), 64, number & 0xffff, 40_000, 8472);
    } else if (packet.length < Ethernet.HEADER_LENGTH) {
      packet.length = Ethernet.HEADER_LENGTH; // the network needs an address to send to
    }
    packet.setMac(Ethernet.DESTINATION, OuterHeaders.macOf(nodes.one.ip.value()));
    return packet;
  }

  private int below(int bound) {
    return Integer.remainderUnsigned(random.nextInt(), bound);
  }

  private byte[] echo(int destination) {
    byte[] frame = new byte[ECHO_LENGTH];
    SkBuff view = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 1).take();
    assertThat(view).isNotNull();
    view.setBytes(frame, 0, frame.length);
    view.setMac(Ethernet.SOURCE, OuterHeaders.macOf(STRANGER.value()));
    view.setU16(Ethernet.ETHER_TYPE, 0x0800);
    int ip = Ethernet.HEADER_LENGTH;
    view.setU16(ip, 0x4500);
    view.setU16(ip + Ipv4.TOTAL_LENGTH, ECHO_LENGTH - ip);
    view.setU8(ip + Ipv4.TTL, 64);
    view.setU8(ip + Ipv4.PROTOCOL, 1);
    view.setI32(ip + Ipv4.SOURCE, 0x0a2a0033);
    view.setI32(ip + Ipv4.DESTINATION, destination);
    view.setU16(ip + Ipv4.CHECKSUM, Checksum.finish(Checksum.sum(view.bytes, view.head + ip, 20)));
    view.setU8(ip + 20, 8);
    view.setU16(ip + 22, Checksum.finish(Checksum.sum(view.bytes, view.head + ip + 20, 8)));
    return view.toByteArray();
  }
}
