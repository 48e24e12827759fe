package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.datapath.underlay.MemoryNetwork;
import dev.paramecium.datapath.underlay.OuterHeaders;
import dev.paramecium.datapath.underlay.Underlay;
import dev.paramecium.packet.Checksum;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Random and mutated frames from the underlay, plain and inside VXLAN, reach every device. */
final class HostileFramesTest {

  /** A million in CI; few enough elsewhere that nobody waits for them. */
  private static final int FRAMES =
      Integer.getInteger(
          "paramecium.hostile.frames", "true".equals(System.getenv("CI")) ? 1_000_000 : 20_000);

  private static final long SEED = Long.getLong("paramecium.hostile.seed", 47110815L);
  private static final Ipv4Address STRANGER = Ipv4Address.parse("127.0.0.77");
  private static final int ECHO_LENGTH = 42;

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
      for (int i = 0; i < FRAMES; i++) {
        PacketBatch batch = pool.takeBatch();
        batch.add(hostile(pool, nodes, i));
        stranger.send(batch);
        if (i % 512 == 0) {
          await()
              .pollDelay(Duration.ZERO)
              .pollInterval(Duration.ofMillis(1))
              .until(() -> nodes.one.counters().get("queue_waiting_devices") == 0);
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
      assertThat(
              nodes.one.counters().get("rx_packets_eth0")
                  + nodes.one.counters().get("drop_frame_too_long"))
          .isEqualTo(FRAMES);
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
