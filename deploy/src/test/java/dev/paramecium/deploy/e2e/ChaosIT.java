package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.TraceStream;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.time.Duration;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Faults put on links between real processes, by objects, and taken away again. */
class ChaosIT {

  private static final String NETWORK_CHAOS =
      "/apis/chaos-mesh.org/v1alpha1/namespaces/default/networkchaos/";
  private static final String PARTITION_CHAOS = "/apis/paramecium.dev/v1alpha1/partitionchaos/";

  private static TestCluster cluster;
  private static String curl;
  private static String httpbin;

  @BeforeAll
  static void start() throws InterruptedException {
    cluster = TestCluster.start(2);
    cluster.applyWalkPods();
    curl = cluster.awaitReady("curl").address().toString();
    httpbin = cluster.awaitReady("httpbin").address().toString();
    assertThat(ping()).isEqualTo("3 received");
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  /** How many of three pings are answered. */
  private static String ping() {
    String out = cluster.exec("curl", "ping", "-c", "3", "-i", "0.2", "-W", "1", httpbin).stdout();
    return out.lines()
        .filter(line -> line.contains("packets transmitted"))
        .map(line -> line.split(", ")[1])
        .findFirst()
        .orElse(out);
  }

  private static void networkChaos(String name, String spec) {
    cluster.apply(
        """
        {apiVersion: chaos-mesh.org/v1alpha1, kind: NetworkChaos, metadata: {name: %s},
         spec: {mode: all, selector: {pods: {default: [curl]}}, %s}}
        """
            .formatted(name, spec));
    awaitCondition(NETWORK_CHAOS + name, "AllInjected");
  }

  private static void awaitCondition(String path, String type) {
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () -> {
              JsonNode status = cluster.api.get(path).path("status");
              assertThat(status.path("conditions"))
                  .as("%s", status)
                  .anyMatch(
                      c ->
                          c.path("type").asText().equals(type)
                              && c.path("status").asText().equals("True"));
            });
  }

  private static void delete(String path) {
    cluster.api.delete(path, ApiHttp.JSON.createObjectNode());
    await().atMost(TestCluster.LIMIT).until(() -> cluster.api.find(path).isMissingNode());
  }

  @Test
  void aDelayIsAddedToEveryRoundTripAndGoesWithItsObject() {
    networkChaos("slow", "action: delay, delay: {latency: 300ms}");
    String slow = cluster.exec("curl", "ping", "-c", "1", "-W", "3", httpbin).stdout();
    assertThat(milliseconds(slow)).isGreaterThanOrEqualTo(300);
    delete(NETWORK_CHAOS + "slow");
    assertThat(ping()).isEqualTo("3 received");
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> milliseconds(cluster.exec("curl", "ping", "-c", "1", httpbin).stdout()) < 300);
  }

  private static double milliseconds(String ping) {
    return ping.lines()
        .filter(line -> line.contains("time="))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll(".*time=([0-9.]+) ms.*", "$1")))
        .findFirst()
        .orElseThrow(() -> new AssertionError(ping));
  }

  @Test
  void aTraceNamesTheExperimentThatLostThePacketAndItEndsByItself() {
    networkChaos("lossy", "action: loss, loss: {loss: \"100\"}, duration: 8s");
    try (TraceStream trace =
        TraceStream.open(
            cluster.api,
            new TraceFilter(Ipv4Address.parse(curl), Ipv4Address.parse(httpbin), 1, 0, 0))) {
      assertThat(ping()).isEqualTo("0 received");
      assertThat(
              trace.await(seen -> seen.stream().anyMatch(ChaosIT::isLossy), Duration.ofSeconds(5)))
          .as("%s", trace.observations())
          .isTrue();
    }
    awaitCondition(NETWORK_CHAOS + "lossy", "AllRecovered");
    assertThat(ping()).isEqualTo("3 received");
    delete(NETWORK_CHAOS + "lossy");
  }

  private static boolean isLossy(Observation o) {
    return o.reason().equals("default/lossy: netem loss 100%");
  }

  @Test
  void nodesThatAreCutApartHealWithoutATrace() {
    cluster.apply(
        """
        {apiVersion: paramecium.dev/v1alpha1, kind: PartitionChaos, metadata: {name: cut},
         spec: {nodes: [node-1], peers: [node-2]}}
        """);
    awaitCondition(PARTITION_CHAOS + "cut", "AllInjected");
    assertThat(ping()).isEqualTo("0 received");
    assertThat(cluster.counters("node-1").path("drop_link_fault").asLong()).isPositive();
    delete(PARTITION_CHAOS + "cut");
    assertThat(ping()).isEqualTo("3 received");
    assertThat(cluster.api.get("/apis/paramecium.dev/v1alpha1/nodenetworkchaos").path("items"))
        .isEmpty();
  }

  @Test
  void aKilledPodIsGoneAndTheExperimentSaysWhich() throws InterruptedException {
    cluster.apply(
        """
        {apiVersion: v1, kind: Pod, metadata: {name: victim, labels: {app: victim}},
         spec: {containers: [{name: c, image: nginx}]}}
        """);
    cluster.awaitReady("victim");
    cluster.apply(
        """
        {apiVersion: chaos-mesh.org/v1alpha1, kind: PodChaos, metadata: {name: kill},
         spec: {action: pod-kill, mode: one, selector: {labelSelectors: {app: victim}}}}
        """);
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> cluster.api.find("/api/v1/namespaces/default/pods/victim").isMissingNode());
    assertThat(
            cluster
                .api
                .get("/apis/chaos-mesh.org/v1alpha1/namespaces/default/podchaos/kill")
                .at("/status/experiment/containerRecords/0/id")
                .asText())
        .isEqualTo("default/victim");
  }

  private static final String POD_CHAOS =
      "/apis/chaos-mesh.org/v1alpha1/namespaces/default/podchaos/";

  @Test
  void aKilledContainerIsRestartedAndAFailedPodComesBack() throws InterruptedException {
    cluster.apply(
        """
        {apiVersion: v1, kind: Pod, metadata: {name: frail, labels: {app: frail}},
         spec: {terminationGracePeriodSeconds: 1, containers: [{name: web, image: nginx}]}}
        """);
    cluster.awaitReady("frail");
    cluster.apply(
        """
        {apiVersion: chaos-mesh.org/v1alpha1, kind: PodChaos, metadata: {name: nine},
         spec: {action: container-kill, mode: one, containerNames: [web],
                selector: {labelSelectors: {app: frail}}}}
        """);
    awaitCondition(POD_CHAOS + "nine", "AllInjected");
    awaitContainer(
        status ->
            status.path("restartCount").asInt() == 1
                && status.at("/lastState/terminated/exitCode").asInt() == 137
                && status.path("ready").asBoolean());
    cluster.apply(
        """
        {apiVersion: chaos-mesh.org/v1alpha1, kind: PodChaos, metadata: {name: sleep},
         spec: {action: pod-failure, mode: one, selector: {labelSelectors: {app: frail}}}}
        """);
    awaitCondition(POD_CHAOS + "sleep", "AllInjected");
    String ip = cluster.api.get(FRAIL).at("/status/podIP").asText();
    assertThat(get(ip)).isNotEqualTo("200");
    delete(POD_CHAOS + "sleep");
    awaitContainer(status -> status.path("ready").asBoolean());
    assertThat(get(ip)).isEqualTo("200");
    assertThat(cluster.api.get(FRAIL).at("/spec/containers/0/image").asText()).isEqualTo("nginx");
  }

  private static final String FRAIL = "/api/v1/namespaces/default/pods/frail";

  private static void awaitContainer(Predicate<JsonNode> condition) {
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> cluster.api.get(FRAIL).at("/status/containerStatuses/0"), condition::test);
  }

  private static String get(String ip) {
    return cluster
        .exec(
            "curl",
            "curl",
            "-s",
            "-m",
            "2",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "http://" + ip)
        .stdout();
  }
}
