package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.deploy.Paramecium;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands as a person types them: what they print, how they end, what they say to mistakes.
 */
class CommandIT {

  private static TestCluster cluster;

  @TempDir private Path folder;

  @BeforeAll
  static void startTheCluster() throws InterruptedException {
    cluster = TestCluster.start(2);
    cluster.applyWalkPods();
  }

  @AfterAll
  static void stopTheCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static CommandResult run(String... words) {
    return CommandResult.run(cluster.api.server(), words);
  }

  private String file(String text) throws IOException {
    return Files.writeString(folder.resolve("manifest.yaml"), text).toString();
  }

  @Test
  void getPrintsKubectlsColumns() {
    CommandResult result = run("get", "pods", "httpbin", "-o", "wide");

    assertThat(result.exitCode()).isZero();
    assertThat(result.stdout().lines().findFirst().orElseThrow().split("\\s{2,}"))
        .containsExactly(
            "NAME",
            "READY",
            "STATUS",
            "RESTARTS",
            "AGE",
            "IP",
            "NODE",
            "NOMINATED NODE",
            "READINESS GATES");
    assertThat(result.stdout())
        .containsPattern(
            "httpbin\\s+1/1\\s+Running\\s+0\\s+\\w+\\s+10\\.42\\.\\d+\\.\\d+\\s+node-2\\s+<none>\\s+<none>");
  }

  @Test
  void anObjectIsCreatedThenUnchangedThenConfiguredThenDeleted() throws IOException {
    String first = "apiVersion: v1\nkind: Namespace\nmetadata: {name: lab, labels: {tier: one}}\n";

    assertThat(run("apply", "-f", file(first)).stdout()).isEqualTo("namespace/lab created\n");
    assertThat(run("apply", "-f", file(first)).stdout()).isEqualTo("namespace/lab unchanged\n");
    assertThat(run("apply", "-f", file(first.replace("one", "two"))).stdout())
        .isEqualTo("namespace/lab configured\n");
    assertThat(run("get", "ns", "lab", "-o", "json").stdout()).contains("\"tier\" : \"two\"");
    assertThat(run("delete", "namespace", "lab").stdout()).isEqualTo("namespace \"lab\" deleted\n");
    assertThat(run("get", "ns", "lab").exitCode()).isEqualTo(1);
  }

  @Test
  void badManifestsAreRefusedInOneSentenceThatNamesTheField() throws IOException {
    assertRefused(run("apply", "-f", folder.resolve("none.yaml").toString()), "does not exist");
    assertRefused(run("apply", "-f", file("a: [")), "error parsing");
    assertRefused(run("apply", "-f", file("kind: Pod\n")), "apiVersion not set");
    assertRefused(
        run("apply", "-f", file("apiVersion: v9\nkind: Pot\nmetadata: {name: x}\n")),
        "no matches for kind \"Pot\" in version \"v9\"");
    assertRefused(
        run("apply", "-f", file("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {}\n")),
        "spec.containers");
    assertRefused(
        run(
            "apply",
            "-f",
            file(
                "apiVersion: v1\n"
                    + "kind: Pod\n"
                    + "metadata: {name: UPPER}\n"
                    + "spec: {containers: [{name: a, image: b}]}\n")),
        "metadata.name");
  }

  @Test
  void anUnknownPodNodeOrCommandIsNamed() {
    assertRefused(run("exec", "nobody", "--", "true"), "pods \"nobody\" not found");
    assertRefused(run("logs", "nobody"), "pods \"nobody\" not found");
    assertRefused(run("host", "nowhere", "--", "ip", "link"), "nowhere");
    assertRefused(run("get", "unicorns"), "the server doesn't have a resource type \"unicorns\"");
    assertRefused(run("trace", "nobody", "httpbin:80"), "pods \"nobody\" not found");
    CommandResult unknown = run("exec", "curl", "--", "no-such-program");
    assertThat(unknown.exitCode()).isNotZero();
    assertThat(unknown.stderr())
        .contains("no-such-program")
        .contains("executable file not found in $PATH");
  }

  @Test
  void wrongUsageExitsWithTwoAndNoClusterWithThree() {
    assertThat(run("get", "pods", "-o", "xml").exitCode()).isEqualTo(UserError.USAGE);
    assertThat(run("trace", "curl", "httpbin:99999").exitCode()).isEqualTo(UserError.USAGE);
    assertThat(run("exec").exitCode()).isEqualTo(UserError.USAGE);
    assertThat(
            Paramecium.run(
                "get", "pods", "--server", "http://127.0.0.1:" + LocalCluster.freePort()))
        .isEqualTo(UserError.NO_CLUSTER);
  }

  @Test
  void aTraceShowsBothWaysAndWhatDecided() {
    CommandResult result = run("trace", "curl", "httpbin:80");

    assertThat(result.exitCode()).as(result.stderr()).isZero();
    assertThat(result.stdout())
        .contains("bpf_lxc.o:[from-container]")
        .contains("cilium_ipcache")
        .contains("The request")
        .contains("The reply")
        .endsWith(
            """
            Answered.
            default/curl: allow egress by allow-any-egress
            default/httpbin: allow ingress by allow-any-ingress
            """);
  }

  @Test
  void aTraceAsJsonHasTheDocumentedFields() throws IOException {
    CommandResult result = run("trace", "curl", "httpbin:80", "-o", "json");

    var steps = new com.fasterxml.jackson.databind.ObjectMapper().readTree(result.stdout());
    assertThat(steps.size()).isGreaterThanOrEqualTo(16);
    assertThat(steps.get(0).properties().stream().map(java.util.Map.Entry::getKey))
        .contains(
            "seq",
            "node",
            "step",
            "device",
            "ifindex",
            "hook",
            "program",
            "program_id",
            "functions",
            "lookups",
            "verdict",
            "reason",
            "rule",
            "direction",
            "packet",
            "vni");
  }

  @Test
  void execEndsWithTheCommandsExitCode() {
    assertThat(run("exec", "curl", "--", "sh", "-c", "exit 7").exitCode()).isEqualTo(7);
    String httpbin = Pods.find(cluster.api, "httpbin", "default").address().toString();
    CommandResult refused = run("exec", "curl", "--", "curl", "-sS", "http://" + httpbin + ":81/");
    assertThat(refused.exitCode()).isEqualTo(7);
    assertThat(refused.stderr())
        .startsWith("curl: (7) Failed to connect to " + httpbin + " port 81");
  }

  @Test
  void anOccupiedPortIsNamed() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      var block = LocalCluster.freeLoopbackBlock(1);
      org.assertj.core.api.Assertions.assertThatThrownBy(
              () ->
                  LocalCluster.start(
                      folder,
                      Topology.of(1, block.plus(1), taken.getLocalPort()),
                      block.toString(),
                      _ -> {}))
          .isInstanceOf(UserError.class)
          .hasMessageContaining("TCP port " + taken.getLocalPort() + " on 127.0.0.1")
          .hasMessageContaining("the API server");
    }
  }

  private static void assertRefused(CommandResult result, String what) {
    assertThat(result.exitCode()).as(result.toString()).isEqualTo(UserError.FAILED);
    assertThat(result.stderr()).contains(what).doesNotContain("\tat ").doesNotContain("Exception");
    assertThat(result.stderr().lines()).hasSizeLessThanOrEqualTo(2);
  }
}
