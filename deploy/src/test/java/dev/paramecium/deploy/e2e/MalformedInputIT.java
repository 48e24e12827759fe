package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.cluster.LocalCluster;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Random and mutated datagrams at a node's UDP 8472: nothing crashes, everything is counted,
 * traffic goes on.
 */
class MalformedInputIT {

  private static final int DATAGRAMS = 20_000;
  private static final int VXLAN_HEADER = 8;

  @Test
  void randomAndMutatedDatagramsAreCountedAndHurtNobody() throws IOException, InterruptedException {
    long seed = new Random().nextLong();
    System.out.println("MalformedInputIT seed " + seed);
    Random random = new Random(seed);
    try (TestCluster cluster = TestCluster.start(2);
        DatagramSocket socket = new DatagramSocket()) {
      cluster.applyWalkPods();
      Pods.Pod httpbin = cluster.awaitReady("httpbin");
      InetAddress node = InetAddress.getByName(cluster.block.plus(2).toString());
      long before = cluster.counters("node-2").path("buffers_in_use").asLong();

      for (int i = 0; i < DATAGRAMS; i++) {
        byte[] bytes = i % 2 == 0 ? random(random) : mutated(random, httpbin.address().value());
        socket.send(new DatagramPacket(bytes, bytes.length, node, LocalCluster.VXLAN_PORT));
      }

      await()
          .atMost(TestCluster.LIMIT)
          .until(
              () ->
                  cluster
                      .exec(
                          "curl",
                          "curl",
                          "-s",
                          "-m",
                          "3",
                          "-o",
                          "/dev/null",
                          "-w",
                          "%{http_code}",
                          "http://" + httpbin.address() + "/get")
                      .stdout()
                      .equals("200"));
      assertThat(cluster.process("node-2").isAlive()).isTrue();
      await()
          .atMost(TestCluster.LIMIT)
          .untilAsserted(
              () ->
                  assertThat(cluster.counters("node-2").path("buffers_in_use").asLong())
                      .isLessThanOrEqualTo(before + 8));
    }
  }

  private static byte[] random(Random random) {
    byte[] bytes = new byte[random.nextInt(200)];
    random.nextBytes(bytes);
    return bytes;
  }

  /** A VXLAN frame to the pod with a few bytes changed, or cut short. */
  private static byte[] mutated(Random random, int destination) {
    byte[] frame = new byte[VXLAN_HEADER + 14 + 20 + 20 + random.nextInt(64)];
    random.nextBytes(frame);
    frame[0] = 8;
    int ethernet = VXLAN_HEADER + 12;
    frame[ethernet] = 8;
    frame[ethernet + 1] = 0;
    frame[ethernet + 2] = 0x45;
    frame[ethernet + 11] = (byte) (random.nextBoolean() ? 6 : 17);
    for (int i = 0; i < 4; i++) {
      frame[ethernet + 18 + i] = (byte) (destination >>> (24 - 8 * i));
    }
    for (int i = random.nextInt(4); i > 0; i--) {
      frame[random.nextInt(frame.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return random.nextInt(4) == 0 ? Arrays.copyOf(frame, random.nextInt(frame.length)) : frame;
  }
}
