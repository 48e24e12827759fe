package dev.paramecium.benchmark;

import static dev.paramecium.benchmark.ReferenceNode.CLIENT;
import static dev.paramecium.benchmark.ReferenceNode.CLIENT_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.CURL;
import static dev.paramecium.benchmark.ReferenceNode.CURL_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN;
import static dev.paramecium.benchmark.ReferenceNode.HTTPBIN_IDENTITY;
import static dev.paramecium.benchmark.ReferenceNode.OTHER_NODE;
import static dev.paramecium.benchmark.ReferenceNode.run;

import com.sun.management.ThreadMXBean;
import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Tcp;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * What the programs cost as the real ones were measured: 1054-byte frames of one hot TCP flow,
 * ipcache with 65,536 entries, conntrack with 100,000, and once with 100,000 flows in random order.
 * CPU time of the thread, so that a machine with other work to do gives the same figures; the
 * median round counts. Wants a JVM with the full JIT.
 */
public final class ProgramBenchmark {

  /** What is measured. */
  public enum Case {
    FROM_CONTAINER("from-container, established TCP"),
    FROM_CONTAINER_MANY_FLOWS("from-container, 100,000 flows at random"),
    FROM_OVERLAY("from-overlay, policy tail call"),
    FROM_OVERLAY_MANY_FLOWS("from-overlay, 100,000 flows at random"),
    SAME_NODE("same node, egress and ingress"),
    DENIED_SYN("denied SYN, both events read");

    private final String title;

    Case(String title) {
      this.title = title;
    }

    /** What it is called in a table. */
    public String title() {
      return title;
    }
  }

  /**
   * What one packet costs.
   *
   * @param nanos of CPU in the median round
   * @param bytes that the last round allocated, a packet
   */
  public record Cost(Case what, double nanos, double bytes) {}

  /** One packet. */
  private interface Step {
    void run();
  }

  private static final int IPCACHE_ENTRIES = 65_536;
  private static final int CONNTRACK_ENTRIES = 100_000;
  private static final int FLOWS = 100_000;

  /** Ports that flows of one pod to another use: more flows than one destination port has. */
  private static final int[] FLOW_PORTS = {80, 8080};

  private static final int FIRST_FLOW_PORT = 10_000;
  private static final int PAYLOAD = 1000;
  private static final int TTL = 64;
  private static final int TTL_AT = Ethernet.HEADER_LENGTH + Ipv4.TTL;
  private static final int CHECKSUM_AT = Ethernet.HEADER_LENGTH + Ipv4.CHECKSUM;
  private static final int PORTS_AT = Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH;

  /** Rounds of warming up, after which everything is compiled. */
  private static final int WARM_UP = 3;

  private static final int MONITOR_AGGREGATION = 3;

  private final int rounds;
  private final int packets;
  private final ReferenceNode node;

  private ProgramBenchmark(int rounds, int packets) {
    this.rounds = rounds;
    this.packets = packets;
    node = new ReferenceNode(MONITOR_AGGREGATION, TraceRecorder.NONE, Clock.system());
    for (int i = 0; i < IPCACHE_ENTRIES; i++) {
      node.known(new Ipv4Address(0x0b00_0000 + i * 7) + "/32", 256 + i % 5000, OTHER_NODE);
    }
    byte[] entry = new CtEntry(1, 60, 0, 0, Integer.MAX_VALUE, 0, 0, 0, 2, 0, 1, 0, 0).encode();
    for (int i = 0; i < CONNTRACK_ENTRIES; i++) {
      CtTuple tuple =
          new CtTuple(CURL, new Ipv4Address(0x0b00_0000 + i), 80, i & 0xffff, IpProtocol.TCP, 0);
      node.maps.conntrack().tcp().update(tuple.encode(), entry);
    }
    for (int port : FLOW_PORTS) {
      node.curl.allowEgress(HTTPBIN_IDENTITY, port, IpProtocol.TCP);
    }
    node.curl.allowEgress(CLIENT_IDENTITY, 80, IpProtocol.TCP);
    node.client.allowIngress(CURL_IDENTITY, 80, IpProtocol.TCP);
    for (int port : FLOW_PORTS) {
      node.client.allowIngress(HTTPBIN_IDENTITY, port, IpProtocol.TCP);
    }
  }

  /**
   * Measures every case.
   *
   * @param rounds of which the median counts
   * @param packets in a round
   */
  public static void measureAll(int rounds, int packets, Consumer<Cost> costs) {
    ProgramBenchmark benchmark = new ProgramBenchmark(rounds, packets);
    costs.accept(benchmark.deniedSyn());
    benchmark.node.stopReadingEvents();
    costs.accept(benchmark.fromContainer());
    costs.accept(benchmark.fromOverlay());
    costs.accept(benchmark.sameNode());
    costs.accept(benchmark.fromContainerManyFlows());
    costs.accept(benchmark.fromOverlayManyFlows());
  }

  private Cost fromContainer() {
    ProgramSection from = node.curl.programs().fromContainer();
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN));
    SkBuff data = node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, TTL);
    return measure(Case.FROM_CONTAINER, () -> run(from, data));
  }

  private Cost fromContainerManyFlows() {
    ProgramSection from = node.curl.programs().fromContainer();
    SkBuff syn = node.tcp(CURL, 0, HTTPBIN, 80, Tcp.SYN);
    SkBuff data = node.tcp(CURL, 0, HTTPBIN, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, TTL);
    return manyFlows(Case.FROM_CONTAINER_MANY_FLOWS, syn, data, packet -> run(from, packet));
  }

  private Cost fromOverlayManyFlows() {
    SkBuff syn = node.tcp(HTTPBIN, 0, CLIENT, 80, Tcp.SYN);
    SkBuff data = node.tcp(HTTPBIN, 0, CLIENT, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, TTL);
    return manyFlows(
        Case.FROM_OVERLAY_MANY_FLOWS,
        syn,
        data,
        packet -> {
          rewind(packet);
          node.runFromOverlay(packet, HTTPBIN_IDENTITY);
        });
  }

  private Cost manyFlows(Case what, SkBuff syn, SkBuff data, Consumer<SkBuff> program) {
    int[] ports = new int[FLOWS];
    for (int i = 0; i < FLOWS; i++) {
      int source = FIRST_FLOW_PORT + i / FLOW_PORTS.length;
      ports[i] = source << 16 | FLOW_PORTS[i % FLOW_PORTS.length];
      syn.setI32(PORTS_AT, ports[i]);
      program.accept(syn);
    }
    shuffle(ports);
    int[] next = {0};
    return measure(
        what,
        () -> {
          data.setI32(PORTS_AT, ports[next[0]]);
          next[0] = next[0] + 1 == FLOWS ? 0 : next[0] + 1;
          program.accept(data);
        });
  }

  private static void shuffle(int[] values) {
    RandomSource random = RandomSource.seeded(1);
    for (int i = values.length - 1; i > 0; i--) {
      int other = Integer.remainderUnsigned(random.nextInt(), i + 1);
      int value = values[i];
      values[i] = values[other];
      values[other] = value;
    }
  }

  private Cost fromOverlay() {
    node.runFromOverlay(node.tcp(HTTPBIN, 40000, CLIENT, 80, Tcp.SYN), HTTPBIN_IDENTITY);
    SkBuff data = node.tcp(HTTPBIN, 40000, CLIENT, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, TTL);
    return measure(
        Case.FROM_OVERLAY,
        () -> {
          rewind(data);
          node.runFromOverlay(data, HTTPBIN_IDENTITY);
        });
  }

  private Cost sameNode() {
    ProgramSection from = node.curl.programs().fromContainer();
    run(from, node.tcp(CURL, 40000, CLIENT, 80, Tcp.SYN));
    SkBuff data = node.tcp(CURL, 40000, CLIENT, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, TTL);
    return measure(
        Case.SAME_NODE,
        () -> {
          rewind(data);
          run(from, data);
        });
  }

  private Cost deniedSyn() {
    ProgramSection from = node.curl.programs().fromContainer();
    SkBuff syn = node.tcp(CURL, 40001, HTTPBIN, 81, Tcp.SYN);
    return measure(
        Case.DENIED_SYN,
        () -> {
          run(from, syn);
          node.skipEvents();
        });
  }

  /** The hop took one from the TTL: gives it back, checksum and all. */
  private static void rewind(SkBuff packet) {
    if (packet.u8(TTL_AT) != TTL) {
      packet.setU8(TTL_AT, TTL);
      packet.setU16(CHECKSUM_AT, packet.u16(CHECKSUM_AT) - 0x100);
    }
  }

  private Cost measure(Case what, Step step) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().threadId();
    double[] nanos = new double[rounds];
    double bytes = 0;
    for (int i = 0; i < packets * WARM_UP; i++) {
      step.run();
    }
    for (int round = 0; round < rounds; round++) {
      long allocated = threads.getThreadAllocatedBytes(thread);
      long start = threads.getCurrentThreadCpuTime();
      for (int i = 0; i < packets; i++) {
        step.run();
      }
      nanos[round] = (threads.getCurrentThreadCpuTime() - start) / (double) packets;
      bytes = (threads.getThreadAllocatedBytes(thread) - allocated) / (double) packets;
    }
    Arrays.sort(nanos);
    return new Cost(what, nanos[rounds / 2], bytes);
  }
}
