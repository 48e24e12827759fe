package dev.paramecium.kernel;

import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.datapath.underlay.NodeResolver;
import dev.paramecium.syscall.DatapathOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;

/**
 * Two pods of one node, one TCP connection, once over the node's devices and once past them, in
 * turn; prints what {@code sockops-enable} gains.
 *
 * <p>Arguments: milliseconds for each round (2000), rounds (5).
 */
public final class SockopsBenchmark {

  private static final Pattern FIGURE = Pattern.compile("(bytes|nanos)=(\\d+)");

  private SockopsBenchmark() {}

  public static void main(String[] arguments) {
    int ms = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 2000;
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
    ActorTestKit kit = ActorTestKit.create();
    try {
      Pair devices = new Pair(kit, "127.0.35.21", false);
      Pair bypass = new Pair(kit, "127.0.35.22", true);
      devices.megabytesPerSecond(ms);
      bypass.megabytesPerSecond(ms);
      double[] ratios = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        double over = devices.megabytesPerSecond(ms);
        double past = bypass.megabytesPerSecond(ms);
        ratios[i] = past / over;
        System.out.printf(
            Locale.ROOT,
            "TCP bulk, two pods of one node: over the devices %8.1f MB/s   sockops %8.1f MB/s   ratio %5.2f%n",
            over,
            past,
            ratios[i]);
      }
      Arrays.sort(ratios);
      System.out.printf(Locale.ROOT, "median ratio %.2f%n", ratios[rounds / 2]);
    } finally {
      kit.shutdownTestKit();
    }
  }

  /** A node with two pods. */
  private static final class Pair {
    private final TestNode node;
    private final TestNode.Pod source;
    private final TestNode.Pod sink;
    private int port = 7000;

    Pair(ActorTestKit kit, String ip, boolean sockops) {
      node =
          new TestNode(
              kit,
              KernelConfig.of("node-" + ip, Ipv4Address.parse(ip), 1)
                  .withResolver(NodeResolver.identity(TwoNodes.freePort())),
              "10.42.1.0/24");
      node.load(
          DatapathOptions.defaults(node.podCidr)
              .withSockets(new DatapathOptions.Sockets(false, false, true, sockops)));
      source = node.startPod("curl", 1180, 31028, "10.42.1.80", "curlimages/curl");
      sink = node.startPod("sink", 1181, 15773, "10.42.1.81", "curlimages/curl");
    }

    double megabytesPerSecond(int ms) {
      String to = Integer.toString(port++);
      long listening = node.counters().getOrDefault("SockTcpListen", 0L);
      CompletableFuture<TestNode.Outcome> received =
          CompletableFuture.supplyAsync(
              () -> node.exec(sink.containerId(), "paramecium-load", "tcp-sink", to),
              Thread::startVirtualThread);
      await().until(() -> node.counters().getOrDefault("SockTcpListen", 0L) > listening);
      List<String> command =
          List.of("paramecium-load", "tcp-source", "10.42.1.81", to, Integer.toString(ms));
      node.exec(source.containerId(), command.toArray(String[]::new));
      List<Long> figures = new ArrayList<>();
      Matcher words = FIGURE.matcher(received.join().stdout());
      while (words.find()) {
        figures.add(Long.parseLong(words.group(2)));
      }
      return figures.getFirst() * 1e3 / figures.getLast();
    }
  }
}
