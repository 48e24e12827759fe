package dev.paramecium.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TopologyTest {

  @TempDir private Path folder;

  private Topology read(String yaml) throws IOException {
    return Topology.read(Files.writeString(folder.resolve("cluster.yaml"), yaml));
  }

  @Test
  void readsNodesOptionsAndTheApiServersPort() throws IOException {
    Topology topology =
        read(
            """
            apiVersion: paramecium.dev/v1alpha1
            kind: Cluster
            metadata: {name: lab}
            spec:
              apiServer: {port: 7443}
              options: {monitor-aggregation: none, underlay: tcp, cluster-pool-ipv4-cidr: 10.9.0.0/16}
              nodes:
              - {name: ubuntu-dev2, address: 127.0.1.2}
              - {}
            """);

    assertThat(topology.clusterName()).isEqualTo("lab");
    assertThat(topology.apiPort()).isEqualTo(7443);
    assertThat(topology.options().agent().monitorAggregation()).isZero();
    assertThat(topology.options().underlay()).isEqualTo("tcp");
    assertThat(topology.nodes())
        .extracting(Topology.Node::name)
        .containsExactly("ubuntu-dev2", "node-2");
    assertThat(topology.nodes().get(1).address()).hasToString("127.0.0.3");
  }

  @Test
  void namesTheFieldOfAMistake() {
    assertRefused("kind: Cluster\nspec: {}", "apiVersion must be paramecium.dev/v1alpha1");
    assertRefused(spec("nodes: []"), "spec.nodes must be a list");
    assertRefused(spec("nodes: [{name: UPPER}]"), "spec.nodes[0].name is \"UPPER\"");
    assertRefused(spec("nodes: [{address: 300.1.1.1}]"), "300.1.1.1");
    assertRefused(spec("nodes: [{nmae: a}]"), "spec.nodes[0].nmae is not a field");
    assertRefused(spec("nodes: [{name: a}, {name: a}]"), "repeats the name or address");
    assertRefused(spec("nodes: [{}]\n  options: {mtu: big}"), "option mtu is \"big\"");
    assertRefused(spec("nodes: [{}]\n  options: {tunel: vxlan}"), "option \"tunel\" is not known");
    assertRefused(
        spec("nodes: [{}]\n  options: {kube-proxy-replacement: yes}"),
        "option kube-proxy-replacement is \"true\": it must be one of disabled, partial, strict,"
            + " probe");
    assertRefused(
        spec("nodes: [{}]\n  options: {auto-direct-node-routes: true}"),
        "auto-direct-node-routes cannot be used with tunneling");
    assertRefused("{", "is not YAML");
  }

  @Test
  void loadBalancersGetTheirAddressesFromAPoolApartFromAllOthers() throws IOException {
    assertThat(read(spec("nodes: [{}]")).options().loadBalancerIpv4Pool()).isNull();
    assertThat(read(pool("172.18.255.0/24")).options().loadBalancerIpv4Pool())
        .hasToString("172.18.255.0/24");
    assertRefused(pool("172.18.255.0"), "option load-balancer-ipv4-pool is \"172.18.255.0\"");
    assertRefused(pool("0.0.0.0/0"), "it must be a network from /8 to /32");
    assertRefused(pool("10.42.7.0/24"), "it must be apart from 10.42.0.0/16 of the pods");
    assertRefused(pool("10.0.0.0/8"), "it must be apart from 10.42.0.0/16 of the pods");
    assertRefused(pool("10.96.1.0/24"), "apart from 10.96.0.0/16 of the cluster addresses");
    assertRefused(pool("127.0.0.0/24"), "a network without nodes, and node-1 is 127.0.0.2");
  }

  @Test
  void aNodeHasAJvmOfItsOwnInASmallClusterAndALargeOneHasAJvmForEachCore() {
    assertThat(Topology.defaultNodesPerJvm(2, 1)).isEqualTo(1);
    assertThat(Topology.defaultNodesPerJvm(4, 2)).isEqualTo(1);
    assertThat(Topology.defaultNodesPerJvm(5, 2)).isEqualTo(3);
    assertThat(Topology.defaultNodesPerJvm(16, 16)).isEqualTo(1);
    assertThat(Topology.defaultNodesPerJvm(100, 2)).isEqualTo(50);
    assertThat(Topology.defaultNodesPerJvm(100, 16)).isEqualTo(7);
  }

  @Test
  void nodesAreSpreadOverAsFewJvmsAsMayBe() throws IOException {
    assertThat(sizes(Topology.ofSize(10).withNodesPerJvm(4))).containsExactly(3, 3, 4);
    assertThat(sizes(Topology.ofSize(3).withNodesPerJvm(1))).containsExactly(1, 1, 1);
    assertThat(sizes(Topology.ofSize(3).withNodesPerJvm(250))).containsExactly(3);

    Topology read = read(spec("nodesPerJvm: 2\n  nodes: [{}, {}, {name: last}]"));
    assertThat(sizes(read)).containsExactly(1, 2);
    assertThat(read.jvms().getLast().getLast().name()).isEqualTo("last");
  }

  @Test
  void nodesInARowNeedNoList() throws IOException {
    Topology topology = read(spec("nodes: {count: 250, firstAddress: 127.9.0.10}"));

    assertThat(topology.nodes()).hasSize(250);
    assertThat(topology.nodes().getFirst()).hasToString("Node[name=node-1, address=127.9.0.10]");
    assertThat(topology.nodes().getLast()).hasToString("Node[name=node-250, address=127.9.1.3]");
    assertThat(read(spec("nodes: {count: 1}")).nodes().getFirst().address())
        .hasToString("127.0.0.2");
    assertRefused(spec("nodes: {}"), "spec.nodes.count is missing");
    assertRefused(spec("nodes: {count: 251}"), "spec.nodes.count is \"251\": it must be a number");
    assertRefused(spec("nodes: {count: 2, first: 127.9.0.1}"), "spec.nodes.first is not a field");
    assertRefused(spec("nodes: {count: 2, firstAddress: here}"), "spec.nodes.firstAddress");
    assertRefused(spec("nodesPerJvm: 0\n  nodes: [{}]"), "spec.nodesPerJvm is \"0\"");
    assertRefused(spec("nodesPerJvm: all\n  nodes: [{}]"), "it must be a number from 1 to 250");
    assertThatThrownBy(() -> Topology.ofSize(2).withNodesPerJvm(0))
        .isInstanceOf(UserError.class)
        .hasMessage("nodes per JVM is \"0\": it must be a number from 1 to 250.");
  }

  private static List<Integer> sizes(Topology topology) {
    return topology.jvms().stream().map(List::size).toList();
  }

  private static String pool(String network) {
    return spec("nodes: [{}]\n  options: {load-balancer-ipv4-pool: " + network + "}");
  }

  private static String spec(String spec) {
    return "apiVersion: paramecium.dev/v1alpha1\nkind: Cluster\nspec:\n  " + spec + "\n";
  }

  private void assertRefused(String yaml, String message) {
    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(UserError.class)
        .hasMessageContaining(message);
  }
}
