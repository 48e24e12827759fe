package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.deploy.cluster.World;
import dev.paramecium.world.HostSpec;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Hosts outside the cluster: pods reach them with their node's address, they reach nodes' ports and
 * load balancers, and CIDR rules tell them apart.
 */
class WorldIT {

  private static final String EXAMPLE = "203.0.113.10";
  private static final String CLIENT = "198.51.100.7";

  private static TestCluster cluster;

  @BeforeAll
  static void start() throws InterruptedException {
    Ipv4Address block = LocalCluster.freeLoopbackBlock(2);
    Topology two = Topology.of(2, block.plus(1), LocalCluster.freePort());
    Map<String, String> options =
        Map.of(
            "kube-proxy-replacement", "strict",
            "enable-bpf-masquerade", "true",
            "load-balancer-ipv4-pool", "172.18.255.0/24");
    cluster =
        TestCluster.start(
            new Topology(
                    two.clusterName(),
                    two.apiAddress(),
                    two.apiPort(),
                    Topology.Options.parse(options),
                    two.nodes())
                .withNodesPerJvm(2)
                .withWorld(
                    new World(
                        block.plus(100),
                        List.of(
                            HostSpec.parse(
                                "example.com=" + EXAMPLE + ",80:httpbin,7:echo,7/udp:echo"),
                            HostSpec.parse("client=" + CLIENT + ",80:httpbin")))),
            block);
    cluster.applyWalkPods();
    cluster.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: httpbin}
        spec: {type: LoadBalancer, selector: {app: httpbin}, ports: [{port: 80, nodePort: 30080}]}
        """);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static String node(int number) {
    return cluster.cluster.topology().nodes().get(number - 1).address().toString();
  }

  private static String fromOutside(String url) {
    return cluster.world("client", "curl", "-s", "--max-time", "3", url).stdout();
  }

  private static int toOutside(String host) {
    return cluster
        .exec("curl", "curl", "-s", "--max-time", "1", "http://" + host + "/ip")
        .exitCode();
  }

  @Test
  void hostsOutsideHaveNames() {
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> cluster.exec("curl", "nslookup", "example.com").exitCode() == 0);
    assertThat(cluster.exec("curl", "nslookup", "example.com").stdout())
        .contains("Name:\texample.com\nAddress: " + EXAMPLE + "\n");
    assertThat(cluster.exec("curl", "curl", "-s", "http://example.com/ip").stdout())
        .contains("\"origin\": \"" + node(1) + "\"");
    assertThat(cluster.exec("curl", "nslookup", "nobody.example.com").exitCode()).isEqualTo(1);
    assertThat(cluster.world("client", "nslookup", EXAMPLE).stdout())
        .contains("name = example.com\n");
  }

  @Test
  void aPodsPacketsReachAHostOutsideWithTheNodesAddress() {
    assertThat(cluster.host("node-1", "ip", "route").stdout())
        .contains("default via " + cluster.block.plus(100) + " dev eth0");
    assertThat(cluster.exec("curl", "curl", "-s", "http://" + EXAMPLE + "/ip").stdout())
        .contains("\"origin\": \"" + node(1) + "\"");
    assertThat(cluster.host("node-2", "curl", "-s", "http://" + EXAMPLE + "/ip").stdout())
        .contains("\"origin\": \"" + node(2) + "\"");
    assertThat(
            cluster
                .exec(
                    "curl",
                    "sh",
                    "-c",
                    "echo by tcp | nc -w 2 %1$s 7; echo by udp | nc -u -w 2 %1$s 7"
                        .formatted(EXAMPLE))
                .stdout())
        .isEqualTo("by tcp\nby udp\n");
    assertThat(cluster.exec("curl", "ping", "-c", "1", EXAMPLE).stdout()).contains("1 received");
    assertThat(cluster.host("node-1", "cilium", "bpf", "nat", "list").stdout())
        .contains("XLATE_SRC " + node(1));
  }

  @Test
  void aHostOutsideReachesAServiceByNodesPortsAndItsLoadBalancer() {
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () ->
                assertThat(fromOutside("http://" + node(2) + ":30080/ip"))
                    .as("the backend's own node keeps the client's address")
                    .contains("\"origin\": \"" + CLIENT + "\""));
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () ->
                assertThat(fromOutside("http://" + node(1) + ":30080/ip"))
                    .as("the other node answers for it")
                    .contains("origin")
                    .doesNotContain(CLIENT));
    assertThat(fromOutside("http://172.18.255.1/ip")).contains("origin");
  }

  @Test
  void aHostOutsideReachesAPodByItsHostPort() {
    cluster.apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web}
        spec:
          nodeName: node-1
          containers:
          - {name: web, image: kennethreitz/httpbin, ports: [{containerPort: 80, hostPort: 8080}]}
        """);
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () ->
                assertThat(fromOutside("http://" + node(1) + ":8080/ip"))
                    .contains("\"origin\": \"" + CLIENT + "\""));
    assertThat(cluster.host("node-1", "cilium", "service", "list").stdout())
        .containsPattern(node(1) + ":8080 +HostPort +1 => ");
  }

  @Test
  void cidrRulesTellHostsOutsideApart() {
    assertThat(toOutside(EXAMPLE)).isZero();
    assertThat(toOutside(CLIENT)).isZero();
    cluster.apply(
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: only-example}
        spec:
          endpointSelector: {matchLabels: {app: curl}}
          egress: [{toCIDR: [203.0.113.0/24]}]
        """);
    await().atMost(TestCluster.LIMIT).until(() -> toOutside(CLIENT) == 28);
    assertThat(toOutside(EXAMPLE)).isZero();
    cluster.api.delete(
        "/apis/cilium.io/v2/namespaces/default/ciliumnetworkpolicies/only-example",
        ApiHttp.JSON.createObjectNode());
    await().atMost(TestCluster.LIMIT).until(() -> toOutside(CLIENT) == 0);
  }

  @Test
  void aCommandOnAHostThatIsNotThereSaysWhatThereIs() {
    assertThat(cluster.api.hasWorldHost("client")).isTrue();
    assertThat(cluster.api.hasWorldHost("nobody.example")).isFalse();
    assertThat(cluster.world("gateway", "ip", "route", "get", CLIENT).stdout())
        .contains(CLIENT + " dev world2");
  }
}
