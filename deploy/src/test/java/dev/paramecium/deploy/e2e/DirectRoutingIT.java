package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.TraceStream;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.deploy.walk.Walk;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A cluster without a tunnel and without kube-proxy: nodes route each other's pods, and a node's
 * port leads to a backend on another node, which answers the client by itself.
 */
class DirectRoutingIT {

  private static final int MAGLEV_TABLE_SIZE = 251;

  private static final Map<String, String> OPTIONS =
      Map.ofEntries(
          Map.entry("tunnel", "disabled"),
          Map.entry("auto-direct-node-routes", "true"),
          Map.entry("ipv4-native-routing-cidr", "10.42.0.0/16"),
          Map.entry("kube-proxy-replacement", "strict"),
          Map.entry("enable-local-redirect-policy", "true"),
          Map.entry("bpf-lb-algorithm", "maglev"),
          Map.entry("bpf-lb-maglev-table-size", Integer.toString(MAGLEV_TABLE_SIZE)),
          Map.entry("bpf-lb-mode", "dsr"),
          Map.entry("bpf-ct-global-tcp-max", "65536"),
          Map.entry("bpf-policy-map-max", "512"));

  private static TestCluster cluster;
  private static String curl;
  private static String httpbin;

  @BeforeAll
  static void start() throws InterruptedException {
    Ipv4Address block = LocalCluster.freeLoopbackBlock(3);
    Topology three = Topology.of(3, block.plus(1), LocalCluster.freePort());
    cluster =
        TestCluster.start(
            new Topology(
                three.clusterName(),
                three.apiAddress(),
                three.apiPort(),
                Topology.Options.parse(OPTIONS),
                three.nodes()),
            block);
    cluster.applyWalkPods();
    curl = cluster.awaitReady("curl").address().toString();
    httpbin = cluster.awaitReady("httpbin").address().toString();
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static String address(int node) {
    return cluster.cluster.topology().nodes().get(node - 1).address().toString();
  }

  @Test
  void podsReachEachOtherByTheNodesRoutesAndATraceShowsIt() {
    assertThat(cluster.host("node-1", "ip", "route").stdout())
        .contains(" via " + address(2) + " dev eth0", " via " + address(3) + " dev eth0");
    assertThat(cluster.host("node-1", "ip", "link").stdout()).doesNotContain("cilium_vxlan");
    List<Observation> seen;
    try (TraceStream trace =
        TraceStream.open(
            cluster.api,
            new TraceFilter(Ipv4Address.parse(curl), Ipv4Address.parse(httpbin), 6, 0, 80))) {
      assertThat(cluster.exec("curl", "curl", "-s", "http://" + httpbin + "/get").stdout())
          .contains("\"origin\": \"" + curl + "\"");
      assertThat(trace.await(o -> arrived(o, true) && arrived(o, false), TestCluster.LIMIT))
          .as("%s", trace.observations())
          .isTrue();
      seen = trace.observations();
    }
    Walk request = data(seen, false);
    assertThat(request.steps().stream().map(Observation::node).distinct())
        .containsExactly("node-1", "node-2");
    assertThat(request.steps().stream().map(Observation::program))
        .containsSubsequence(
            "bpf_lxc.o:[from-container]",
            "bpf_netdev_eth0.o:[to-netdev]",
            "bpf_netdev_eth0.o:[from-netdev]",
            "bpf_host.o:[from-host]")
        .noneMatch(program -> program.startsWith("bpf_overlay.o"));
  }

  private static boolean arrived(List<Observation> seen, boolean reply) {
    return Walk.first(Walk.byPacket(seen), reply, Walk::carriesData)
        .map(Walk::hasArrived)
        .orElse(false);
  }

  private static Walk data(List<Observation> seen, boolean reply) {
    return Walk.first(Walk.byPacket(seen), reply, Walk::carriesData).orElseThrow();
  }

  @Test
  void aNodesPortLeadsAClientOutsideToAPodOnAnotherNode() {
    String frontend = address(1) + ":31000";
    for (String node : List.of("node-1", "node-2")) {
      assertThat(
              cluster
                  .host(
                      node,
                      "cilium",
                      "service",
                      "update",
                      "--id",
                      "7",
                      "--frontend",
                      frontend,
                      "--backends",
                      httpbin + ":80",
                      "--k8s-node-port")
                  .stdout())
          .isEqualTo("Creating new service with id '7'\nAdded service with 1 backends\n");
    }
    TestCluster.Output answer =
        cluster.host("node-3", "curl", "-s", "--max-time", "10", "http://" + frontend + "/get");
    assertThat(answer.stdout())
        .as("%s%n%s", answer, cluster.host("node-2", "cilium", "bpf", "nat", "list"))
        .contains("\"origin\": \"" + address(3) + "\"");
    assertThat(cluster.host("node-1", "cilium", "service", "list").stdout())
        .contains("7    " + frontend + "   NodePort       1 => " + httpbin + ":80 (active)");
    assertThat(cluster.host("node-1", "cilium", "bpf", "lb", "list").stdout())
        .contains(frontend + "   0.0.0.0:0 (7) (0) [NodePort]", httpbin + ":80 (7) (1)");
    // The one backend is in all of the table's slots, under the id that it was given.
    String id =
        cluster
            .host("node-1", "cilium", "bpf", "lb", "list", "--backends")
            .stdout()
            .lines()
            .filter(line -> line.strip().endsWith("ANY://" + httpbin + ":80"))
            .map(line -> line.split(" ", 2)[0])
            .findFirst()
            .orElseThrow();
    assertThat(cluster.host("node-1", "cilium", "bpf", "lb", "maglev", "get", "7").stdout())
        .contains(
            "\n7        [" + String.join(" ", Collections.nCopies(MAGLEV_TABLE_SIZE, id)) + "]");
    assertThat(cluster.host("node-2", "cilium", "bpf", "nat", "list").stdout())
        .contains("XLATE_SRC " + frontend);
    assertThat(cluster.host("node-1", "cilium", "service", "delete", "7").exitCode()).isZero();
    assertThat(cluster.host("node-1", "cilium", "bpf", "lb", "list").stdout())
        .doesNotContain("31000");
  }

  @Test
  void aLocalRedirectLeadsToAPodOfTheClientsNode() {
    String policy = "/apis/cilium.io/v2/namespaces/default/ciliumlocalredirectpolicies/metadata";
    String url = "http://169.254.169.254/get";
    cluster.apply(
        """
        apiVersion: cilium.io/v2
        kind: CiliumLocalRedirectPolicy
        metadata: {name: metadata, namespace: default}
        spec:
          redirectFrontend:
            addressMatcher: {ip: 169.254.169.254, toPorts: [{port: "80", protocol: TCP}]}
          redirectBackend:
            localEndpointSelector: {matchLabels: {app: httpbin}}
            toPorts: [{port: "80", protocol: TCP}]
        """);
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () ->
                assertThat(cluster.host("node-2", "cilium", "lrp", "list").stdout())
                    .contains("169.254.169.254:80/TCP -> " + httpbin + ":80(default/httpbin)"));
    assertThat(cluster.host("node-2", "cilium", "service", "list").stdout())
        .containsPattern("169\\.254\\.169\\.254:80 +LocalRedirect +1 => " + httpbin + ":80");
    // httpbin is on node-2: a client there is served, one on another node has nobody.
    assertThat(cluster.host("node-2", "curl", "-s", "--max-time", "10", url).stdout())
        .contains("\"origin\": ");
    assertThat(cluster.host("node-1", "curl", "-s", "--max-time", "1", url).exitCode()).isNotZero();
    cluster.api.delete(policy, ApiHttp.JSON.createObjectNode());
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () ->
                assertThat(cluster.host("node-2", "cilium", "service", "list").stdout())
                    .doesNotContain("169.254.169.254"));
  }

  @Test
  void sizesMapsAsTheOptionsSay() {
    assertThat(cluster.host("node-1", "bpftool", "map", "show").stdout())
        .containsPattern("cilium_ct4_glob.*\n\tkey 14B  value 56B  max_entries 65536 ")
        .containsPattern("cilium_policy_.*\n\tkey 8B  value 24B  max_entries 512 ");
  }

  @Test
  void printsTheOptionsInForce() {
    assertThat(cluster.host("node-1", "cilium", "config").stdout().lines())
        .contains(
            "bpf-lb-mode                       : dsr",
            "tunnel                            : disabled");
    assertThat(cluster.host("node-1", "cilium", "status").stdout())
        .contains("KubeProxyReplacement:    Strict");
  }
}
