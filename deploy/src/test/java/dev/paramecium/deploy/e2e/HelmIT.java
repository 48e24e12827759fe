package dev.paramecium.deploy.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The life of a release with unmodified Helms: 3, which patches, and 4, which applies. */
class HelmIT {

  private static final Path CHART = Path.of("src/test/resources/charts/web").toAbsolutePath();
  private static final long LIMIT_SECONDS = 60;

  private static TestCluster cluster;

  @TempDir private Path home;

  @BeforeAll
  static void start() throws InterruptedException {
    Tools.helm("1.32"); // before a cluster is started in vain
    cluster = TestCluster.start(2);
    cluster.apply(
        """
        {apiVersion: v1, kind: Pod, metadata: {name: client, labels: {app: curl}},
         spec: {containers: [{name: c, image: curlimages/curl, command: [sleep, 365d]}]}}
        """);
    cluster.awaitReady("client");
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.32", "1.35"})
  void aReleaseIsInstalledUpgradedRolledBackAndUninstalled(String version)
      throws IOException, InterruptedException {
    Path helm = Tools.helm(version);
    String installed = run(helm, "install", "site", CHART.toString(), "--wait", "--timeout", "40s");
    assertThat(installed).contains("STATUS: deployed", "site says hello at site.default.");
    assertThat(curl()).isEqualTo(0);

    run(
        helm,
        "upgrade",
        "site",
        CHART.toString(),
        "--set",
        "replicas=3,greeting=bye,clients=nobody",
        "--wait",
        "--timeout",
        "40s");
    assertThat(greeting()).isEqualTo("bye");
    assertThat(
            cluster
                .api
                .get("/apis/apps/v1/namespaces/default/deployments/site")
                .at("/status/readyReplicas")
                .asInt())
        .isEqualTo(3);
    await().atMost(TestCluster.LIMIT).until(() -> curl() == 28);

    run(helm, "rollback", "site", "1", "--wait", "--timeout", "40s");
    assertThat(greeting()).isEqualTo("hello");
    await().atMost(TestCluster.LIMIT).until(() -> curl() == 0);
    assertThat(run(helm, "history", "site")).contains("superseded", "Rollback to 1");

    run(helm, "uninstall", "site", "--wait");
    for (String path :
        List.of(
            "/apis/apps/v1/namespaces/default/deployments/site",
            "/api/v1/namespaces/default/services/site",
            "/api/v1/namespaces/default/configmaps/site",
            "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/site")) {
      assertThat(cluster.api.find(path).isMissingNode()).as(path).isTrue();
    }
    assertThat(run(helm, "list", "--short")).isBlank();
  }

  private static String greeting() {
    return cluster
        .api
        .get("/api/v1/namespaces/default/configmaps/site")
        .at("/data/greeting")
        .asText();
  }

  /** How a request to the release's service ends: curl's exit code. */
  private static int curl() {
    String address =
        cluster.api.get("/api/v1/namespaces/default/services/site").at("/spec/clusterIP").asText();
    return cluster.exec("client", "curl", "-s", "-m", "2", "-o", "/dev/null", address).exitCode();
  }

  private String run(Path helm, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(helm.toString()));
    command.addAll(List.of("--kube-apiserver", cluster.api.server(), "--kubeconfig", "/dev/null"));
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile(home, "output", "");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().put("HOME", home.toString());
    Process process = builder.start();
    boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
    if (!ended) {
      process.destroyForcibly().onExit().join();
    }
    String text = Files.readString(output, UTF_8);
    assertThat(ended).as("%s hangs%n%s", command, text).isTrue();
    assertThat(process.exitValue()).as("%s%n%s", command, text).isZero();
    return text;
  }
}
