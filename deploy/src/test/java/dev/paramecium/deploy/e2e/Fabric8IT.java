package dev.paramecium.deploy.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.LocalPortForward;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What Java programs do with Kubernetes, through the client that most of them have: fabric8's. */
@Timeout(120)
class Fabric8IT {

  private static final String NAMESPACE = "default";

  private static TestCluster cluster;
  private static KubernetesClient client;

  @BeforeAll
  static void start() throws InterruptedException {
    cluster = TestCluster.start(2);
    cluster.applyWalkPods();
    cluster.awaitReady("httpbin");
    client = client();
  }

  private static KubernetesClient client() {
    Config config =
        new ConfigBuilder(Config.empty())
            .withMasterUrl(cluster.api.server())
            .withNamespace(NAMESPACE)
            .build();
    return new KubernetesClientBuilder().withConfig(config).build();
  }

  @AfterAll
  static void stop() {
    if (client != null) {
      client.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  private static ConfigMap configMap(String name, String value) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName(name)
        .addToLabels("test", name)
        .endMetadata()
        .addToData("key", value)
        .build();
  }

  @Test
  void anObjectIsMadeReadChangedPatchedAndDeleted() {
    ConfigMap made = client.resource(configMap("crud", "one")).create();
    assertThat(made.getMetadata().getUid()).isNotEmpty();

    client
        .configMaps()
        .withName("crud")
        .edit(map -> new ConfigMapBuilder(map).addToData("key", "two").build());
    assertThat(client.configMaps().withName("crud").get().getData()).containsEntry("key", "two");

    client.resource(configMap("crud", "three")).forceConflicts().serverSideApply();
    ConfigMap applied = client.configMaps().withName("crud").get();
    assertThat(applied.getData()).containsEntry("key", "three");
    assertThat(applied.getMetadata().getUid()).isEqualTo(made.getMetadata().getUid());

    assertThat(client.configMaps().withLabel("test", "crud").list().getItems()).hasSize(1);
    assertThat(client.configMaps().withName("crud").delete()).hasSize(1);
    assertThat(client.configMaps().withName("crud").get()).isNull();
  }

  @Test
  void aStaleUpdateIsAConflict() {
    ConfigMap first = client.resource(configMap("stale", "one")).create();
    client
        .configMaps()
        .withName("stale")
        .edit(map -> new ConfigMapBuilder(map).addToData("key", "two").build());
    ConfigMap late = new ConfigMapBuilder(first).addToData("key", "three").build();
    assertThatThrownBy(
            () ->
                client
                    .resource(late)
                    .lockResourceVersion(first.getMetadata().getResourceVersion())
                    .update())
        .isInstanceOfSatisfying(
            KubernetesClientException.class,
            e -> {
              assertThat(e.getCode()).isEqualTo(409);
              assertThat(e.getStatus().getReason()).isEqualTo("Conflict");
            });
    client.configMaps().withName("stale").delete();
  }

  @Test
  void aWatchSeesEveryChangeOnce() {
    Queue<String> seen = new ConcurrentLinkedQueue<>();
    try (Watch watch =
        client
            .configMaps()
            .withLabel("test", "watched")
            .watch(
                new Watcher<>() {
                  @Override
                  public void eventReceived(Action action, ConfigMap map) {
                    seen.add(action + " " + map.getData().get("key"));
                  }

                  @Override
                  public void onClose(WatcherException cause) {
                    seen.add("closed by " + cause);
                  }
                })) {
      client.resource(configMap("watched", "one")).create();
      client
          .configMaps()
          .withName("watched")
          .edit(map -> new ConfigMapBuilder(map).addToData("key", "two").build());
      client.configMaps().withName("watched").delete();
      await().atMost(TestCluster.LIMIT).until(() -> seen.size() >= 3);
      assertThat(seen).containsExactly("ADDED one", "MODIFIED two", "DELETED two");
      assertThat(watch).isNotNull();
    }
  }

  @Test
  void anInformerFollowsWhatTheControllersDo() {
    Queue<String> seen = new ConcurrentLinkedQueue<>();
    try (SharedIndexInformer<Pod> informer =
        client
            .pods()
            .withLabel("app", "informed")
            .inform(
                new ResourceEventHandler<>() {
                  @Override
                  public void onAdd(Pod pod) {
                    seen.add("add");
                  }

                  @Override
                  public void onUpdate(Pod old, Pod pod) {
                    seen.add("update");
                  }

                  @Override
                  public void onDelete(Pod pod, boolean unknown) {
                    seen.add("delete");
                  }
                })) {
      Deployment deployment =
          new DeploymentBuilder()
              .withNewMetadata()
              .withName("informed")
              .endMetadata()
              .withNewSpec()
              .withReplicas(2)
              .withNewSelector()
              .addToMatchLabels("app", "informed")
              .endSelector()
              .withNewTemplate()
              .withNewMetadata()
              .addToLabels("app", "informed")
              .endMetadata()
              .withNewSpec()
              .addNewContainer()
              .withName("web")
              .withImage("nginx")
              .endContainer()
              .endSpec()
              .endTemplate()
              .endSpec()
              .build();
      client.resource(deployment).create();
      client
          .apps()
          .deployments()
          .withName("informed")
          .waitUntilReady(TestCluster.LIMIT.toSeconds(), TimeUnit.SECONDS);
      await().atMost(TestCluster.LIMIT).until(() -> informer.getStore().list().size() == 2);
      client.apps().deployments().withName("informed").scale(1);
      await().atMost(TestCluster.LIMIT).until(() -> informer.getStore().list().size() == 1);
      assertThat(seen).contains("add", "update", "delete");
      client.apps().deployments().withName("informed").delete();
      await().atMost(TestCluster.LIMIT).until(() -> informer.getStore().list().isEmpty());
    }
  }

  @Test
  void aCommandRunsInAPodWithItsInputOutputAndExitCode() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (ExecWatch exec =
        client
            .pods()
            .withName("curl")
            .redirectingInput()
            .writingOutput(out)
            .writingError(err)
            .exec("sh", "-c", "head -n 1; echo wrong >&2; exit 3")) {
      exec.getInput().write("typed\n".getBytes(UTF_8));
      exec.getInput().flush();
      assertThat(exec.exitCode().get(TestCluster.LIMIT.toSeconds(), TimeUnit.SECONDS)).isEqualTo(3);
    }
    assertThat(out.toString(UTF_8)).isEqualTo("typed\n");
    assertThat(err.toString(UTF_8)).isEqualTo("wrong\n");
  }

  @Test
  void aPodRunsToItsEndAndItsLogIsRead() {
    client
        .resource(
            new PodBuilder()
                .withNewMetadata()
                .withName("speaks")
                .endMetadata()
                .withNewSpec()
                .withRestartPolicy("Never")
                .addNewContainer()
                .withName("c")
                .withImage("busybox")
                .withCommand("sh", "-c", "echo first; echo second")
                .endContainer()
                .endSpec()
                .build())
        .create();
    client
        .pods()
        .withName("speaks")
        .waitUntilCondition(
            pod -> pod != null && "Succeeded".equals(pod.getStatus().getPhase()),
            TestCluster.LIMIT.toSeconds(),
            TimeUnit.SECONDS);
    assertThat(client.pods().withName("speaks").getLog()).isEqualTo("first\nsecond\n");
    assertThat(client.pods().withName("speaks").tailingLines(1).getLog()).isEqualTo("second\n");
    client.pods().withName("speaks").withGracePeriod(0).delete();
  }

  @Test
  void aForwardedPortLeadsToThePodsServer() throws Exception {
    try (LocalPortForward forward = client.pods().withName("httpbin").portForward(80);
        HttpClient http = HttpClient.newHttpClient()) {
      for (int i = 0; i < 3; i++) {
        HttpResponse<String> response =
            http.send(
                HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + forward.getLocalPort() + "/bytes/5000"))
                    .timeout(Duration.ofSeconds(10))
                    .header("Connection-Number", Integer.toString(i))
                    .build(),
                HttpResponse.BodyHandlers.ofString(ISO_8859_1));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).hasSize(5000);
      }
      assertThat(forward.errorOccurred()).isFalse();
    }
  }

  @Test
  void oneOfTwoLeadsUntilItLeaves() throws Exception {
    AtomicReference<String> leader = new AtomicReference<>("");
    try (KubernetesClient other = client()) {
      CompletableFuture<?> first = elect(client, "first", leader);
      await().atMost(TestCluster.LIMIT).until(() -> "first".equals(leader.get()));
      CompletableFuture<?> second = elect(other, "second", leader);
      assertThat(client.leases().withName("election").get().getSpec().getHolderIdentity())
          .isEqualTo("first");
      first.cancel(true);
      await().atMost(TestCluster.LIMIT).until(() -> "second".equals(leader.get()));
      second.cancel(true);
    }
  }

  private static CompletableFuture<?> elect(
      KubernetesClient client, String identity, AtomicReference<String> leader) {
    return client
        .leaderElector()
        .withConfig(
            new LeaderElectionConfigBuilder()
                .withName("test")
                .withLock(new LeaseLock(NAMESPACE, "election", identity))
                .withLeaseDuration(Duration.ofSeconds(6))
                .withRenewDeadline(Duration.ofSeconds(4))
                .withRetryPeriod(Duration.ofSeconds(1))
                .withReleaseOnCancel(true)
                .withLeaderCallbacks(new LeaderCallbacks(() -> {}, () -> {}, leader::set))
                .build())
        .build()
        .start();
  }

  @Test
  void customKindsAreMaps() {
    Map<String, Object> spec = Map.of("nodes", List.of("nobody"));
    GenericKubernetesResource partition =
        new GenericKubernetesResourceBuilder()
            .withApiVersion("paramecium.dev/v1alpha1")
            .withKind("PartitionChaos")
            .withNewMetadata()
            .withName("generic")
            .endMetadata()
            .addToAdditionalProperties("spec", spec)
            .build();
    client.resource(partition).create();
    var read =
        client
            .genericKubernetesResources("paramecium.dev/v1alpha1", "PartitionChaos")
            .withName("generic");
    assertThat(read.get().<String>get("spec", "direction")).isEqualTo("both");
    read.delete();
    await().atMost(TestCluster.LIMIT).until(() -> read.get() == null);
  }
}
