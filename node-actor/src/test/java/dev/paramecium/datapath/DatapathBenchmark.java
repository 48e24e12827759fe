package dev.paramecium.datapath;

import static dev.paramecium.datapath.TestNode.CLIENT;
import static dev.paramecium.datapath.TestNode.CURL;
import static dev.paramecium.datapath.TestNode.CURL_IDENTITY;
import static dev.paramecium.datapath.TestNode.HTTPBIN;
import static dev.paramecium.datapath.TestNode.HTTPBIN_IDENTITY;
import static dev.paramecium.datapath.TestNode.run;

import com.sun.management.ThreadMXBean;
import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.packet.Tcp;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;

/**
 * What the programs cost, beside what v1.12.3's cost on this kind of machine: one hot flow of
 * 1054-byte TCP segments, ipcache with 65,536 entries, conntrack with 100,000. Run with the full
 * JIT: {@code pc run dev.paramecium.datapath.DatapathBenchmark}.
 */
public final class DatapathBenchmark {

  private static final int ROUNDS = 9;
  private static final int PACKETS = 400_000;
  private static final int PAYLOAD = 1000;

  private interface Step {
    void run();
  }

  private final TestNode node;

  private DatapathBenchmark() {
    node = new TestNode(3, TraceRecorder.NONE, Clock.system());
    for (int i = 0; i < 65_536; i++) {
      node.known(new Ipv4Address(0x0b000000 + i * 7) + "/32", 256 + i % 5000, TestNode.OTHER_NODE);
    }
    byte[] entry = new CtEntry(1, 60, 0, 0, Integer.MAX_VALUE, 0, 0, 0, 2, 0, 1, 0, 0).encode();
    for (int i = 0; i < 100_000; i++) {
      CtTuple tuple =
          new CtTuple(CURL, new Ipv4Address(0x0b000000 + i), 80, i & 0xffff, IpProtocol.TCP, 0);
      node.maps.conntrack().tcp().update(tuple.encode(), entry);
    }
    node.curl.allowEgress(HTTPBIN_IDENTITY, 80, IpProtocol.TCP);
    node.curl.allowEgress(TestNode.CLIENT_IDENTITY, 80, IpProtocol.TCP);
    node.client.allowIngress(CURL_IDENTITY, 80, IpProtocol.TCP);
    node.client.allowIngress(HTTPBIN_IDENTITY, 80, IpProtocol.TCP);
  }

  public static void main(String[] args) {
    DatapathBenchmark benchmark = new DatapathBenchmark();
    benchmark.node.stopReadingEvents();
    benchmark.fromContainer();
    benchmark.fromOverlay();
    benchmark.sameNode();
    benchmark.deniedSyn(false);
    new DatapathBenchmark().deniedSyn(true);
  }

  private void fromContainer() {
    ProgramSection from = node.curl.programs().fromContainer();
    run(from, node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.SYN));
    SkBuff data = node.tcp(CURL, 40000, HTTPBIN, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, 64);
    measure("from-container, established TCP → encapsulation", 749, 375, () -> run(from, data));
  }

  private void fromOverlay() {
    node.runFromOverlay(node.tcp(HTTPBIN, 40000, CLIENT, 80, Tcp.SYN), HTTPBIN_IDENTITY);
    SkBuff data = node.tcp(HTTPBIN, 40000, CLIENT, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, 64);
    measure(
        "from-overlay → local delivery, policy tail call",
        660,
        375,
        () -> {
          rewind(data);
          node.runFromOverlay(data, HTTPBIN_IDENTITY);
        });
  }

  private void sameNode() {
    ProgramSection from = node.curl.programs().fromContainer();
    run(from, node.tcp(CURL, 40000, CLIENT, 80, Tcp.SYN));
    SkBuff data = node.tcp(CURL, 40000, CLIENT, 80, Tcp.ACK | Tcp.PSH, PAYLOAD, 64);
    measure(
        "same node, egress and ingress",
        1180,
        600,
        () -> {
          rewind(data);
          run(from, data);
        });
  }

  private void deniedSyn(boolean read) {
    ProgramSection from = node.curl.programs().fromContainer();
    SkBuff syn = node.tcp(CURL, 40001, HTTPBIN, 81, Tcp.SYN);
    measure(
        read ? "denied SYN, both events read" : "denied SYN, nobody reads",
        752,
        400,
        () -> {
          run(from, syn);
          node.skipEvents();
        });
  }

  /** The hop took one from the TTL: gives it back, checksum and all. */
  private static void rewind(SkBuff packet) {
    if (packet.u8(22) != 64) {
      packet.setU8(22, 64);
      packet.setU16(24, packet.u16(24) - 0x100);
    }
  }

  private static void measure(String name, int referenceNs, int targetNs, Step step) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().threadId();
    double[] nanos = new double[ROUNDS];
    double bytes = 0;
    for (int i = 0; i < PACKETS * 3; i++) {
      step.run();
    }
    for (int round = 0; round < ROUNDS; round++) {
      long allocated = threads.getThreadAllocatedBytes(thread);
      long start = System.nanoTime();
      for (int i = 0; i < PACKETS; i++) {
        step.run();
      }
      nanos[round] = (System.nanoTime() - start) / (double) PACKETS;
      bytes = (threads.getThreadAllocatedBytes(thread) - allocated) / (double) PACKETS;
    }
    Arrays.sort(nanos);
    System.out.printf(
        Locale.ROOT,
        "%-50s %7.1f ns/packet (min %.1f) %6.1f B/packet   v1.12.3 %d ns   ratio %.2f   target"
            + " %d%n",
        name,
        nanos[ROUNDS / 2],
        nanos[0],
        bytes,
        referenceNs,
        nanos[ROUNDS / 2] / referenceNs,
        targetNs);
  }
}
