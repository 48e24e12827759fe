package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.deploy.client.Pods;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is on the real wire, as tshark sees it on the loopback interface. */
class WireIT {

  @TempDir private Path folder;

  @Test
  void tsharkDecodesTheVxlanWithRightChecksumsAndTheSourcesIdentityAsVni()
      throws IOException, InterruptedException {
    Tools.need("tshark");
    Tools.needRoot();
    try (TestCluster cluster = TestCluster.start(2)) {
      cluster.applyWalkPods();
      Pods.Pod curl = cluster.awaitReady("curl");
      Pods.Pod httpbin = cluster.awaitReady("httpbin");
      Path capture = folder.resolve("walk.pcap");
      String nodes =
          "udp port 8472 and (host "
              + cluster.block.plus(1)
              + " or host "
              + cluster.block.plus(2)
              + ")";

      Process tshark =
          new ProcessBuilder("tshark", "-i", "lo", "-f", nodes, "-w", capture.toString(), "-q")
              .redirectErrorStream(true)
              .start();
      try {
        awaitCapturing(tshark);
        assertThat(
                cluster
                    .exec("curl", "curl", "-s", "http://" + httpbin.address() + "/get")
                    .exitCode())
            .isZero();
        await()
            .atMost(TestCluster.LIMIT)
            .until(() -> packets(capture, "tcp.flags.fin == 1").size() >= 2);
      } finally {
        tshark.destroy();
        tshark.waitFor();
      }

      List<String> toHttpbin = packets(capture, "ip.dst == " + httpbin.address());
      List<String> toCurl = packets(capture, "ip.dst == " + curl.address());
      assertThat(toHttpbin)
          .hasSizeGreaterThan(3)
          .allSatisfy(line -> assertDecoded(line, identity(cluster, "curl")));
      assertThat(toCurl)
          .hasSizeGreaterThanOrEqualTo(3)
          .allSatisfy(line -> assertDecoded(line, identity(cluster, "httpbin")));
      assertThat(packets(capture, "http.request.method == GET && http.request.uri == \"/get\""))
          .hasSize(1);
    }
  }

  /**
   * A line is VNI, outer and inner IP checksum status, outer and inner UDP/TCP checksum status: 1
   * is good, 0 bad.
   */
  private static void assertDecoded(String line, int vni) {
    String[] fields = line.split("\t", -1);
    assertThat(fields[0]).as(line).isEqualTo(Integer.toString(vni));
    assertThat(fields[1]).as("inner IP checksum: " + line).endsWith("1");
    assertThat(fields[2]).as("TCP checksum: " + line).isEqualTo("1");
  }

  private static List<String> packets(Path capture, String filter)
      throws IOException, InterruptedException {
    if (!Files.exists(capture)) {
      return List.of();
    }
    Tools.Result result =
        Tools.tryRun(
            "tshark",
            "-r",
            capture.toString(),
            "-d",
            "udp.port==8472,vxlan",
            "-Y",
            filter,
            "-o",
            "ip.check_checksum:TRUE",
            "-o",
            "tcp.check_checksum:TRUE",
            "-T",
            "fields",
            "-e",
            "vxlan.vni",
            "-e",
            "ip.checksum.status",
            "-e",
            "tcp.checksum.status");
    return result.output().lines().filter(line -> line.contains("\t")).toList();
  }

  /** tshark says "Capturing on" when the interface is open. */
  private static void awaitCapturing(Process tshark) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(tshark.getInputStream(), StandardCharsets.UTF_8));
    String line;
    while ((line = lines.readLine()) != null) {
      if (line.contains("Capture started") || line.contains("Capturing on")) {
        return;
      }
    }
    throw new AssertionError("tshark ended before it captured");
  }

  private static int identity(TestCluster cluster, String pod) {
    return cluster
        .api
        .get("/apis/cilium.io/v2/namespaces/default/ciliumendpoints/" + pod)
        .path("status")
        .path("identity")
        .path("id")
        .asInt();
  }
}
