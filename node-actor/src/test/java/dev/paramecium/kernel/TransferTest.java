package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.datapath.underlay.FaultyUnderlay;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * Much data and many connections between two nodes: all of it arrives, and nothing is left behind.
 */
final class TransferTest {

  /** Lines of ten digits and a newline. */
  private static final int LINE = 11;

  private static final long FIRST = 1_000_000_000L;
  private static final long SEED = 20230109;
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @Test
  void aGibibyteArrivesIntact() throws Exception {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      transfer(nodes, 1L << 30);
    }
  }

  @Test
  void a128MebibytesArriveIntactOverABadCable() throws Exception {
    try (TwoNodes nodes = TwoNodes.over(new FaultyUnderlay.Faults(20, 20, 50), SEED)) {
      transfer(nodes, 128L << 20);
      assertThat(nodes.one.counters().get("fault_lost")).isPositive();
      assertThat(nodes.one.counters().get("fault_repeated")).isPositive();
      assertThat(nodes.one.counters().get("fault_overtaken")).isPositive();
    }
  }

  private static void transfer(TwoNodes nodes, long bytes) throws Exception {
    long lines = bytes / LINE + 1;
    Map<String, Long> before = nodes.two.counters();
    CompletableFuture<TestNode.Outcome> received =
        CompletableFuture.supplyAsync(
            () ->
                nodes.two.exec(
                    nodes.httpbin.containerId(), "sh", "-c", "nc -l -p 5000 | sha256sum"),
            Thread::startVirtualThread);
    await()
        .until(
            () ->
                nodes.two.counters().getOrDefault("SockTcpListen", 0L)
                    > before.getOrDefault("SockTcpListen", 0L));
    TestNode.Outcome sent =
        nodes.one.exec(
            nodes.curl.containerId(),
            "sh",
            "-c",
            "seq " + FIRST + " " + (FIRST + lines - 1) + " | nc -w 5 10.42.0.51 5000");
    assertThat(sent.stderr()).isEmpty();
    assertThat(received.get().stdout().trim()).isEqualTo(digest(lines) + "  -");
    assertNothingIsLeft(nodes.one);
    assertNothingIsLeft(nodes.two);
    assertThat(nodes.two.counters().get("SockTcpListen")).isEqualTo(before.get("SockTcpListen"));
  }

  /** SHA-256 of {@code lines} lines that count up from {@link #FIRST}. */
  private static String digest(long lines) throws NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    byte[] line = "1000000000\n".getBytes(StandardCharsets.US_ASCII);
    byte[] block = new byte[LINE * 4096];
    int filled = 0;
    for (long i = 0; i < lines; i++) {
      System.arraycopy(line, 0, block, filled, LINE);
      filled += LINE;
      if (filled == block.length) {
        digest.update(block);
        filled = 0;
      }
      for (int at = LINE - 2; ++line[at] > '9'; at--) {
        line[at] = '0';
      }
    }
    digest.update(block, 0, filled);
    return HexFormat.of().formatHex(digest.digest());
  }

  @Test
  void tenThousandConnectionsInSequenceLeaveNothing() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      TestNode.Outcome sequence =
          nodes.one.exec(
              nodes.curl.containerId(),
              "sh",
              "-c",
              "for i in $(seq 1 10000); do nc -z -w 5 10.42.0.51 80 || echo failed $i; done");
      assertThat(sequence.stdout()).isEmpty();
      // TIME_WAIT holds each on one side at most, and a port is left for the next.
      assertThat(
              nodes.one.counters().get("SockTcpTimeWait")
                  + nodes.two.counters().get("SockTcpTimeWait"))
          .isLessThanOrEqualTo(10_000L);
      assertThat(
              nodes
                  .one
                  .exec(nodes.curl.containerId(), "nc", "-z", "-w", "5", "10.42.0.51", "80")
                  .exitCode())
          .isZero();
      assertNothingIsLeft(nodes.one);
      assertNothingIsLeft(nodes.two);
    }
  }

  @Test
  void aThousandConnectionsAtOnceAreAnsweredAndLeaveNothing() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      // Each stays open for two seconds, which is longer than it takes to open them all.
      TestNode.Outcome atOnce =
          nodes.one.exec(
              nodes.curl.containerId(),
              "sh",
              "-c",
              "for i in $(seq 1 1000); do curl -s -m 25 -o /dev/null -w '%{http_code}\\n"
                  + "' http://10.42.0.51/delay/2 & done; wait");
      assertThat(atOnce.stdout().lines().filter("200"::equals)).hasSize(1000);
      assertNothingIsLeft(nodes.one);
      assertNothingIsLeft(nodes.two);
    }
  }

  /** A bad cable may hold one frame back until the next one comes: that buffer is its own. */
  private static void assertNothingIsLeft(TestNode node) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              Map<String, Long> counters = node.counters();
              assertThat(counters)
                  .containsEntry("buffers_in_use", counters.getOrDefault("fault_held", 0L))
                  .containsEntry("SockTcpInuse", 0L)
                  .containsEntry("queue_waiting_devices", 0L)
                  .containsEntry("queue_waiting_netns", 0L);
            });
  }
}
