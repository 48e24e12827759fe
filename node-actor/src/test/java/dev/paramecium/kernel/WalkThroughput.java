package dev.paramecium.kernel;

import dev.paramecium.datapath.underlay.MemoryNetwork;
import dev.paramecium.datapath.underlay.UnderlayKind;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;

/**
 * Packets a second from pod to pod over two kernels in this JVM, for each underlay: a TCP transfer
 * with both stacks, every program and every device on one thread. {@code FULLJIT=1 pc runtest
 * node-actor dev.paramecium.kernel.WalkThroughput [rounds]}
 */
final class WalkThroughput {

  private static final int NUMBERS = 1_000_000;
  private static final int BYTES = 6_888_896;

  private WalkThroughput() {}

  public static void main(String[] args) throws Exception {
    int rounds = args.length == 0 ? 8 : Integer.parseInt(args[0]);
    for (UnderlayKind kind :
        new UnderlayKind[] {UnderlayKind.UDP, UnderlayKind.UDP_NIO, UnderlayKind.TCP}) {
      measure(kind.toString(), rounds, config -> config.withUnderlay(kind));
    }
    MemoryNetwork network = new MemoryNetwork();
    measure(
        "memory",
        rounds,
        config -> config.withNetwork(pool -> network.attach(config.nodeIp(), pool)));
    System.exit(0);
  }

  private static void measure(String name, int rounds, UnaryOperator<KernelConfig> change)
      throws Exception {
    try (TwoNodes nodes = new TwoNodes(change)) {
      for (int round = 0; round < rounds; round++) {
        CompletableFuture<TestNode.Outcome> server =
            CompletableFuture.supplyAsync(
                () ->
                    nodes.two.exec(
                        nodes.httpbin.containerId(), "sh", "-c", "nc -l -p 5000 | wc -c"),
                Thread::startVirtualThread);
        while (nodes.two.counters().get("SockTcpListen") < 2) {
          Thread.onSpinWait();
        }
        long packets = walked(nodes);
        long start = System.nanoTime();
        nodes.one.exec(
            nodes.curl.containerId(), "sh", "-c", "seq 1 " + NUMBERS + " | nc 10.42.0.51 5000");
        server.get();
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
            "%-8s round %d: %.0f packets/s, %.0f MB/s%n",
            name, round + 1, (walked(nodes) - packets) / seconds, BYTES / seconds / 1e6);
      }
    }
  }

  private static long walked(TwoNodes nodes) {
    return nodes.one.counters().get("rx_packets_eth0")
        + nodes.two.counters().get("rx_packets_eth0");
  }
}
