package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.deploy.cluster.ApiSecurity;
import dev.paramecium.deploy.cluster.LocalCluster;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cluster with TLS and roles, as {@code up --tls --rbac} makes it, and those who ask it. */
@Timeout(180)
class AccessIT {

  private static final String LOGGED_OUT = "You must be logged in to the server";

  private static TestCluster cluster;

  @BeforeAll
  static void start() throws InterruptedException {
    cluster = TestCluster.start(1, new ApiSecurity(true, true));
    cluster.apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web}
        spec: {containers: [{name: nginx, image: nginx, ports: [{containerPort: 80}]}]}
        """);
    cluster.awaitReady("web");
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static Kubectl admin(String version) throws IOException {
    Path home = Files.createTempDirectory(cluster.home, "kubectl");
    return new Kubectl(
        Tools.kubectl(version), home, LocalCluster.kubeconfig(cluster.home), "default");
  }

  /** Somebody with a token, or with none if it is empty. */
  private static Kubectl user(String token) throws IOException {
    Path home = Files.createTempDirectory(cluster.home, "kubectl");
    Path kubeconfig =
        Files.writeString(
            home.resolve("config"),
            """
            apiVersion: v1
            kind: Config
            clusters:
            - {name: c, cluster: {server: "%s", certificate-authority: %s}}
            users: [{name: u, user: {token: "%s"}}]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x
            """
                .formatted(
                    cluster.api.server(), ApiSecurity.pki(cluster.home).resolve("ca.crt"), token));
    return new Kubectl(Tools.kubectl("1.35"), home, kubeconfig, "default");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.20", "1.28", "1.32", "1.35"})
  void theAdministratorsCertificateOpensEverythingOverTls(String version) throws IOException {
    Kubectl kubectl = admin(version);
    assertThat(kubectl.run("get", "nodes")).contains("Ready");
    assertThat(kubectl.runWithInput("hello", "exec", "-i", "web", "--", "cat")).isEqualTo("hello");
    assertThat(kubectl.run("logs", "web", "--tail=1")).isNotNull();
    try (Kubectl.Forward forward = kubectl.forward("pod/web", 80);
        Socket socket = new Socket("127.0.0.1", forward.port())) {
      socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .startsWith("HTTP/1.")
          .contains("200");
    }
  }

  @Test
  void theKubeconfigIsItsOwnersAlone() throws IOException {
    assertThat(Files.getPosixFilePermissions(LocalCluster.kubeconfig(cluster.home)))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void aTokenMayDoWhatItsAccountsRolesSay() throws IOException {
    Kubectl admin = admin("1.35");
    admin.run("create", "serviceaccount", "bob");
    admin.run("create", "role", "reader", "--verb=get,list", "--resource=pods");
    admin.run("create", "rolebinding", "bob", "--role=reader", "--serviceaccount=default:bob");
    Kubectl bob = user(admin.run("create", "token", "bob").strip());
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> bob.tryRun("get", "pods").stdout().contains("web"));
    assertThat(bob.run("auth", "whoami")).contains("system:serviceaccount:default:bob");
    assertThat(bob.tryRun("delete", "pod", "web").stderr())
        .contains(
            "pods \"web\" is forbidden: User \"system:serviceaccount:default:bob\" cannot delete"
                + " resource \"pods\" in API group \"\" in the namespace \"default\"");
    assertThat(bob.tryRun("auth", "can-i", "list", "secrets").stdout()).isEqualTo("no\n");
    assertThat(bob.tryRun("exec", "web", "--", "true").stderr()).contains("cannot");

    admin.run("create", "rolebinding", "a", "--clusterrole=admin", "--serviceaccount=default:bob");
    await()
        .atMost(TestCluster.LIMIT)
        .until(
            () ->
                bob.tryRun("create", "role", "s", "--verb=get", "--resource=secrets").exitCode()
                    == 0);
    assertThat(
            bob.tryRun("create", "rolebinding", "r", "--clusterrole=cluster-admin", "--user=bob")
                .stderr())
        .contains("attempting to grant RBAC permissions not currently held");

    admin.run("delete", "serviceaccount", "bob");
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> bob.tryRun("get", "pods").stderr().contains(LOGGED_OUT));
  }

  @Test
  void whoIsNobodyMayAskForHealth() throws IOException {
    assertThat(user("a.b.c").tryRun("get", "pods").stderr()).contains(LOGGED_OUT);
    Kubectl admin = admin("1.35");
    assertThat(admin.tryRun("get", "--raw", "/api/v1/pods", "--as", "system:anonymous").stderr())
        .contains("User \"system:anonymous\" cannot list resource \"pods\"");
    assertThat(admin.run("get", "--raw", "/readyz", "--as", "system:anonymous")).isEqualTo("ok");
  }

  @Test
  void fabric8ReadsTheKubeconfigAndRunsACommand() throws Exception {
    Config config = Config.fromKubeconfig(Files.readString(LocalCluster.kubeconfig(cluster.home)));
    try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
      assertThat(client.nodes().list().getItems()).hasSize(1);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (ExecWatch exec =
          client
              .pods()
              .inNamespace("default")
              .withName("web")
              .writingOutput(out)
              .exec("hostname")) {
        assertThat(exec.exitCode().get(20, TimeUnit.SECONDS)).isZero();
      }
      assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("web\n");
    }
  }
}
