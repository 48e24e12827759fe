package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.Policies;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.deploy.cluster.World;
import dev.paramecium.world.HostSpec;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Rules that look into requests: HTTP on both sides, DNS, and names that rules allow. */
class L7PolicyIT {

  private static final String POLICIES =
      "/apis/cilium.io/v2/namespaces/default/ciliumnetworkpolicies";

  private static final String OK = "200";
  private static final String DENIED = "403";
  private static final String UNREACHABLE = "000";

  private static TestCluster cluster;
  private static Pods.Pod httpbin;

  @BeforeAll
  static void start() throws InterruptedException {
    Ipv4Address block = LocalCluster.freeLoopbackBlock(2);
    Topology two =
        Topology.of(2, block.plus(1), LocalCluster.freePort())
            .withWorld(
                new World(
                    block.plus(100),
                    List.of(
                        HostSpec.parse("example.com=203.0.113.10,80:httpbin"),
                        HostSpec.parse("other.net=203.0.113.11,80:httpbin"))));
    cluster = TestCluster.start(two, block);
    cluster.applyWalkPods();
    httpbin = cluster.awaitReady("httpbin");
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> cluster.exec("curl", "nslookup", "example.com").exitCode() == 0);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static void enforce(String policy) {
    JsonNode written =
        cluster.api.post(POLICIES, Manifests.parse("the test's manifest", policy).getFirst());
    Policies.awaitEnforced(cluster.api, written, 2, TestCluster.LIMIT);
  }

  @AfterEach
  void removePolicies() {
    cluster.api.delete(POLICIES, JsonNodeFactory.instance.objectNode()); // the whole collection
  }

  /** The status of a request from pod curl; 000 if there is no answer. */
  private static String ask(String url, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of("curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", url));
    command.addAll(List.of(more));
    return cluster.exec("curl", command.toArray(String[]::new)).stdout();
  }

  private static String onNodeOf(String pod, String... command) throws InterruptedException {
    return cluster.host(cluster.awaitReady(pod).node(), command).stdout();
  }

  @Test
  void requestsAreCheckedAtTheServer() throws InterruptedException {
    enforce(
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: ingress}
        spec:
          endpointSelector: {matchLabels: {app: httpbin}}
          ingress:
          - fromEndpoints: [{matchLabels: {app: curl}}]
            toPorts:
            - ports: [{port: "80", protocol: TCP}]
              rules:
                http:
                - {method: GET, path: "/(get|ip)"}
                - {method: POST, path: /post, headers: ["X-Token: open"]}
        """);
    String url = "http://" + httpbin.address();

    assertThat(ask(url + "/get")).isEqualTo(OK);
    assertThat(ask(url + "/status/200")).isEqualTo(DENIED);
    assertThat(ask(url + "/post", "-d", "x")).isEqualTo(DENIED);
    assertThat(ask(url + "/post", "-d", "x", "-H", "X-Token: open")).isEqualTo(OK);
    assertThat(cluster.exec("curl", "curl", "-s", url + "/ip").stdout())
        .contains(cluster.awaitReady("curl").address().toString());
    assertThat(onNodeOf("httpbin", "cilium", "status"))
        .containsPattern("Proxy Status: +OK, ip [0-9.]+, 1 redirects active on ports 10000-20000");
    assertThat(onNodeOf("httpbin", "cilium", "bpf", "policy", "get", "--all", "-n"))
        .containsPattern("Allow +Ingress +\\d+ +80/TCP +1\\d{4} ");
  }

  @Test
  void requestsAreCheckedAtTheClient() throws InterruptedException {
    enforce(
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: egress}
        spec:
          endpointSelector: {matchLabels: {app: curl}}
          egress:
          - toEndpoints: [{matchLabels: {app: httpbin}}]
            toPorts:
            - ports: [{port: "80", protocol: TCP}]
              rules: {http: [{method: GET, path: /get}]}
        """);
    String url = "http://" + httpbin.address();

    assertThat(ask(url + "/get")).isEqualTo(OK);
    assertThat(ask(url + "/ip")).isEqualTo(DENIED);
    assertThat(ask("http://203.0.113.10/get")).isEqualTo(UNREACHABLE);
  }

  @Test
  void namesThatRulesAllowOpenTheirAddresses() throws InterruptedException {
    enforce(
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: names}
        spec:
          endpointSelector: {matchLabels: {app: curl}}
          egress:
          - toEndpoints:
            - matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, "k8s:k8s-app": kube-dns}
            toPorts:
            - ports: [{port: "53", protocol: ANY}]
              rules: {dns: [{matchName: example.com}, {matchPattern: "*.cluster.local"}]}
          - toFQDNs: [{matchName: example.com}]
            toPorts: [{ports: [{port: "80", protocol: TCP}]}]
        """);

    // Nobody has asked yet: its address is as closed as any.
    assertThat(ask("http://203.0.113.10/get")).isEqualTo(UNREACHABLE);
    assertThat(ask("http://example.com/get")).as("at once, not the second time").isEqualTo(OK);
    assertThat(ask("http://203.0.113.10/get")).isEqualTo(OK);
    assertThat(ask("http://203.0.113.11/get")).isEqualTo(UNREACHABLE);
    assertThat(cluster.exec("curl", "nslookup", "other.net").stdout())
        .contains("server can't find other.net: REFUSED");
    assertThat(onNodeOf("curl", "cilium", "fqdn", "cache", "list"))
        .containsPattern("\\d+ +lookup +example\\.com\\. +3600 +\\S+Z +203\\.0\\.113\\.10\n");
    assertThat(onNodeOf("curl", "cilium", "bpf", "ipcache", "get", "203.0.113.10"))
        .containsPattern("identity=1677721\\d");
  }
}
