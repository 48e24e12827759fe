package dev.paramecium.kernel;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.datapath.NodeDatapath;
import dev.paramecium.datapath.underlay.MemoryNetwork;
import dev.paramecium.datapath.underlay.OuterHeaders;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Udp;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.Syscall;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;

/**
 * What {@code bpf-lb-acceleration} gains: a NodePort request of 178 bytes to a backend on another
 * node, from the frame's arrival at eth0 until it leaves there, at tc and at XDP. CPU time of the
 * whole process, in rounds that take turns; the median round of each counts.
 *
 * <pre>
 *   driver --Receive--&gt; [eth0] tc:  from-netdev, redirect, to-netdev
 *                             XDP: XDP_TX                          --memory--&gt; backend
 * </pre>
 */
public final class NodePortBenchmark {

  private static final Ipv4Address NODE = Ipv4Address.parse("192.168.1.12");
  private static final Ipv4Address OTHER_NODE = Ipv4Address.parse("192.168.1.13");
  private static final Ipv4Address CLIENT = Ipv4Address.parse("192.168.1.14");
  private static final Ipv4Address BACKEND = Ipv4Address.parse("10.42.0.51");
  private static final int ETH0 = 2;
  private static final int PORT = 31000;
  private static final int SERVICE = 7;
  private static final int BACKEND_ID = 3;
  private static final int PAYLOAD = 136;
  private static final int FLOWS = 16;

  private static final int ROUNDS = 15;
  private static final int WARM_UP = 5;
  private static final int BATCHES = 4_000;
  private static final int UNDER_WAY = 16;

  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 4096);
  private final AtomicLong forwarded = new AtomicLong();
  private final byte[][] requests = new byte[FLOWS][];
  private final NodeDatapath datapath;

  private NodePortBenchmark(ActorTestKit kit, boolean acceleration) {
    MemoryNetwork network = new MemoryNetwork();
    network
        .attach(OTHER_NODE, pool)
        .start(
            frames -> {
              forwarded.addAndGet(frames.size());
              pool.releaseWithPackets(frames);
            });
    TestNode node =
        new TestNode(
            kit,
            KernelConfig.of("one", NODE, 1).withNetwork(own -> network.attach(NODE, own)),
            "10.42.1.0/24",
            options ->
                options
                    .withTunnel(false)
                    .withNodePort(DatapathOptions.NodePort.DEFAULT)
                    .withXdp(new DatapathOptions.Xdp(false, acceleration, false)));
    node.perform(
        replyTo ->
            new Syscall.ReplaceRoute(
                Ipv4Prefix.parse("10.42.0.0/24"), OTHER_NODE, "eth0", replyTo));
    node.update(
        MapNames.LB4_BACKENDS,
        Lb4Backend.encodeKey(BACKEND_ID),
        new Lb4Backend(BACKEND, 80, IpProtocol.ANY, Lb4Backend.ACTIVE).encode());
    node.update(
        MapNames.LB4_REVERSE_NAT,
        Lb4ReverseNat.encodeKey(SERVICE),
        new Lb4ReverseNat(NODE, PORT).encode());
    node.update(
        MapNames.LB4_SERVICES,
        new Lb4Key(NODE, PORT, 1, Lb4Key.SCOPE_EXTERNAL).encode(),
        new Lb4Service(BACKEND_ID, 0, SERVICE, 0, 0).encode());
    node.update(
        MapNames.LB4_SERVICES,
        new Lb4Key(NODE, PORT).encode(),
        new Lb4Service(0, 1, SERVICE, Lb4Service.FLAG_NODE_PORT | Lb4Service.FLAG_ROUTABLE, 0)
            .encode());
    for (int i = 0; i < FLOWS; i++) {
      requests[i] = request(40_000 + i);
    }
    datapath = node.datapath();
  }

  private static byte[] request(int sourcePort) {
    byte[] frame =
        new byte[Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH + Udp.HEADER_LENGTH + PAYLOAD];
    int at =
        new Ethernet.Header(OuterHeaders.macOf(NODE), OuterHeaders.macOf(CLIENT), EtherType.IPV4)
            .encode(frame, 0);
    at =
        new Ipv4.Header(1, 64, IpProtocol.UDP, CLIENT, NODE, Udp.HEADER_LENGTH + PAYLOAD)
            .encode(frame, at);
    new Udp.Header(sourcePort, PORT, PAYLOAD).encode(frame, at);
    return frame;
  }

  /** CPU nanoseconds a packet of one round. */
  private double round() {
    long batches = 0;
    long done = forwarded.get();
    long start = cpuNs();
    while (batches < BATCHES) {
      long waiting = batches * PacketBatch.CAPACITY - (forwarded.get() - done);
      if (waiting >= (long) UNDER_WAY * PacketBatch.CAPACITY) {
        LockSupport.parkNanos(1_000);
      } else {
        send();
        batches++;
      }
    }
    long packets = batches * PacketBatch.CAPACITY;
    while (forwarded.get() - done < packets) {
      LockSupport.parkNanos(1_000);
    }
    return (cpuNs() - start) / (double) packets;
  }

  private static long cpuNs() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private void send() {
    PacketBatch batch = datapath.pool().takeBatch();
    for (int i = 0; i < PacketBatch.CAPACITY; i++) {
      SkBuff packet = Objects.requireNonNull(datapath.pool().take());
      byte[] frame = requests[i % FLOWS];
      packet.setBytes(frame, 0, frame.length);
      batch.add(packet);
    }
    Objects.requireNonNull(datapath.devices().get(ETH0)).receive(batch);
  }

  /** Prints a line. */
  public static void main(String[] args) {
    ActorTestKit kit = ActorTestKit.create();
    try {
      NodePortBenchmark tc = new NodePortBenchmark(kit, false);
      NodePortBenchmark xdp = new NodePortBenchmark(kit, true);
      double[] tcNs = new double[ROUNDS];
      double[] xdpNs = new double[ROUNDS];
      for (int round = -WARM_UP; round < ROUNDS; round++) {
        tcNs[Math.max(round, 0)] = tc.round();
        xdpNs[Math.max(round, 0)] = xdp.round();
      }
      Arrays.sort(tcNs);
      Arrays.sort(xdpNs);
      System.out.printf(
          Locale.ROOT,
          "NodePort to another node: tc %.0f ns, XDP %.0f ns of CPU a packet; gain %.2f x%n",
          tcNs[ROUNDS / 2],
          xdpNs[ROUNDS / 2],
          tcNs[ROUNDS / 2] / xdpNs[ROUNDS / 2]);
    } finally {
      kit.shutdownTestKit();
    }
  }
}
