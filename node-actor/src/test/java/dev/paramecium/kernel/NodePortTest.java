package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.datapath.underlay.NodeResolver;
import dev.paramecium.syscall.DatapathOptions;
import dev.paramecium.syscall.DatapathOptions.Masquerade;
import dev.paramecium.syscall.DatapathOptions.Mode;
import dev.paramecium.syscall.Syscall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Clients outside the cluster and the world, over real sockets: a node that is asked, one that has
 * the backend, and a host that neither of them knows as a node.
 *
 * <pre>
 *   client 127.0.33.24 --31000--&gt; one 127.0.33.22 --tunnel or route--&gt; two 127.0.33.23: httpbin
 * </pre>
 */
class NodePortTest {

  private static final int PORT = 31000;
  private static final int SERVICE = 7;
  private static final int BACKEND = 3;
  private static final Ipv4Prefix PODS = Ipv4Prefix.parse("10.42.0.0/16");

  private final ActorTestKit kit = ActorTestKit.create();
  private final NodeResolver resolver = NodeResolver.identity(TwoNodes.freePort());

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private TestNode node(
      String name, String ip, String podCidr, UnaryOperator<DatapathOptions> features) {
    return new TestNode(
        kit,
        KernelConfig.of(name, Ipv4Address.parse(ip), 1).withResolver(resolver),
        podCidr,
        features);
  }

  /** One and two, which know each other, and the client, whom nobody knows. */
  private final class Cluster {
    final TestNode one;
    final TestNode two;
    final TestNode client;
    final TestNode.Pod httpbin;

    Cluster(UnaryOperator<DatapathOptions> features) {
      one = node("one", "127.0.33.22", "10.42.1.0/24", features);
      two = node("two", "127.0.33.23", "10.42.0.0/24", features);
      client = node("client", "127.0.33.24", "10.99.0.0/24", options -> options);
      httpbin = two.startPod("bin", 2826, 15773, "10.42.0.51", "kennethreitz/httpbin");
      one.learn(two, httpbin);
      two.learn(one);
    }

    /** As auto-direct-node-routes does. */
    void routeDirectly() {
      route(one, two);
      route(two, one);
    }

    private static void route(TestNode from, TestNode to) {
      from.perform(replyTo -> new Syscall.ReplaceRoute(to.podCidr, to.ip, "eth0", replyTo));
    }

    /** Node one's port leads to httpbin. */
    void publish() {
      publish(one);
    }

    /** A node's port leads to httpbin. */
    void publish(TestNode asked) {
      for (TestNode node : new TestNode[] {one, two}) {
        node.update(
            MapNames.LB4_BACKENDS,
            Lb4Backend.encodeKey(BACKEND),
            new Lb4Backend(httpbin.ip(), 80, IpProtocol.ANY, Lb4Backend.ACTIVE).encode());
        node.update(
            MapNames.LB4_REVERSE_NAT,
            Lb4ReverseNat.encodeKey(SERVICE),
            new Lb4ReverseNat(asked.ip, PORT).encode());
        node.update(
            MapNames.LB4_SERVICES,
            new Lb4Key(asked.ip, PORT, 1, Lb4Key.SCOPE_EXTERNAL).encode(),
            new Lb4Service(BACKEND, 0, SERVICE, 0, 0).encode());
        node.update(
            MapNames.LB4_SERVICES,
            new Lb4Key(asked.ip, PORT).encode(),
            new Lb4Service(0, 1, SERVICE, Lb4Service.FLAG_NODE_PORT | Lb4Service.FLAG_ROUTABLE, 0)
                .encode());
      }
    }

    TestNode.Outcome get() {
      return get(one);
    }

    TestNode.Outcome get(TestNode asked) {
      return client.exec(
          "", "curl", "-s", "--max-time", "10", "http://" + asked.ip + ":" + PORT + "/get");
    }
  }

  private static UnaryOperator<DatapathOptions> nodePort(Mode mode, int maglevTableSize) {
    return options ->
        options
            .withTunnel(mode == Mode.SNAT && options.tunnel())
            .withNodePort(
                new DatapathOptions.NodePort(
                    mode, 30000, 32767, maglevTableSize, 0x71dcda46, false));
  }

  @Test
  void leadsAClientToABackendOnAnotherNodeFromTheNodesOwnAddress() {
    Cluster cluster = new Cluster(nodePort(Mode.SNAT, 0));
    cluster.publish();
    TestNode.Outcome answer = cluster.get();
    assertThat(answer.stdout())
        .as("%s %s", answer, cluster.one.counters())
        .contains("\"origin\": \"" + cluster.one.routerIp + "\"");
    assertThat(cluster.one.exec("", "cilium", "bpf", "nat", "list").stdout())
        .contains("XLATE_SRC " + cluster.one.routerIp, "XLATE_DST " + cluster.client.ip);
    assertThat(cluster.one.exec("", "cilium", "bpf", "ct", "list", "global").stdout())
        .contains("NodePort");
  }

  @Test
  void choosesTheBackendOfTheMaglevTable() {
    Cluster cluster = new Cluster(nodePort(Mode.SNAT, 251));
    cluster.publish();
    assertThat(cluster.get().exitCode()).as("no table yet, so no backend").isNotZero();
    ByteBuffer table = ByteBuffer.allocate(251 * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (table.hasRemaining()) {
      table.putInt(BACKEND);
    }
    cluster.one.update(MapNames.LB4_MAGLEV, Lb4ReverseNat.encodeKey(SERVICE), table.array());
    assertThat(cluster.get().stdout()).contains("\"origin\"");
    assertThat(cluster.one.exec("", "cilium", "bpf", "lb", "maglev", "get", "7").stdout())
        .startsWith("SVC ID   LOOKUP TABLE ")
        .contains("\n7        [3 3 3 3");
  }

  @Test
  void returnsDirectlyToTheClientInTheNameOfTheNodeThatWasAsked() {
    Cluster cluster = new Cluster(nodePort(Mode.DSR, 0));
    cluster.routeDirectly();
    cluster.publish();
    TestNode.Outcome answer = cluster.get();
    assertThat(answer.stdout())
        .as("%s %s", answer, cluster.two.counters())
        .contains("\"origin\": \"" + cluster.client.ip + "\"");
    assertThat(cluster.two.exec("", "cilium", "bpf", "nat", "list").stdout())
        .contains(
            "TCP OUT 10.42.0.51:80 -> " + cluster.client.ip,
            "XLATE_SRC " + cluster.one.ip + ":" + PORT);
    assertThat(cluster.two.exec("", "cilium", "bpf", "ct", "list", "global").stdout())
        .contains("DSR");
    assertThat(cluster.one.exec("", "cilium", "bpf", "nat", "list").stdout())
        .as("the node that was asked remembers nothing")
        .doesNotContain("XLATE");
  }

  @Test
  void forwardsWithoutATunnelByItsRoutes() {
    Cluster cluster =
        new Cluster(
            options ->
                nodePort(Mode.SNAT, 0)
                    .apply(options.withTunnel(false))
                    .withMasquerade(Masquerade.IPTABLES, PODS));
    cluster.routeDirectly();
    cluster.publish();
    assertThat(cluster.get().stdout()).contains("\"origin\": \"" + cluster.one.ip + "\"");
    TestNode.Pod curl = cluster.one.startPod("curl", 1180, 4711, "10.42.1.80", "curlimages/curl");
    cluster.two.update(
        MapNames.IPCACHE,
        new IpcacheKey(curl.ip()).encode(),
        new RemoteEndpointInfo(4711, cluster.one.ip).encode());
    TestNode.Outcome answer =
        cluster.one.exec(
            curl.containerId(), "curl", "-sS", "--max-time", "5", "http://10.42.0.51:80/get");
    assertThat(answer.stdout()).as("%s", answer).contains("\"origin\": \"10.42.1.80\"");
    assertThat(cluster.one.exec("", "ip", "link").stdout()).doesNotContain("cilium_vxlan");
  }

  @Test
  void givesWhatAPodSendsToTheWorldTheNodesAddress() {
    for (Masquerade who : Masquerade.values()) {
      Cluster cluster =
          new Cluster(
              options ->
                  (who == Masquerade.BPF ? nodePort(Mode.SNAT, 0).apply(options) : options)
                      .withMasquerade(who, PODS));
      TestNode.Outcome ping =
          cluster.two.exec(
              cluster.httpbin.containerId(),
              "ping",
              "-c",
              "1",
              "-W",
              "2",
              cluster.client.ip.toString());
      assertThat(ping.exitCode())
          .as("%s: the client has no route to pods%n%s", who, ping)
          .isEqualTo(who == Masquerade.NOBODY ? 1 : 0);
      kit.stop(cluster.one.kernel);
      kit.stop(cluster.two.kernel);
      kit.stop(cluster.client.kernel);
    }
  }

  @Test
  void showsPodsOwnAddressesToExcludedNetworks() {
    Cluster cluster =
        new Cluster(
            options ->
                nodePort(Mode.SNAT, 0)
                    .apply(options)
                    .withMasquerade(Masquerade.BPF, Ipv4Prefix.parse("127.0.33.0/24")));
    assertThat(
            cluster
                .two
                .exec(
                    cluster.httpbin.containerId(),
                    "ping",
                    "-c",
                    "1",
                    "-W",
                    "1",
                    cluster.client.ip.toString())
                .exitCode())
        .isEqualTo(1);
  }

  // ---- acceleration

  private static UnaryOperator<DatapathOptions> accelerated(Mode mode) {
    return options ->
        nodePort(mode, 0)
            .apply(options.withTunnel(false))
            .withXdp(new DatapathOptions.Xdp(false, true, false));
  }

  /** How many packets a program of eth0 has seen. */
  private static long runs(TestNode node, String program) {
    return node.datapath().programs().all().stream()
        .filter(loaded -> loaded.name().equals(program))
        .mapToLong(loaded -> loaded.statistics().runCount())
        .sum();
  }

  @Test
  void sendsRequestsAndRepliesOnInTheDriver() {
    Cluster cluster = new Cluster(accelerated(Mode.SNAT));
    cluster.routeDirectly();
    cluster.publish();
    assertThat(cluster.get().stdout()).contains("\"origin\": \"" + cluster.one.ip + "\"");
    assertThat(runs(cluster.one, "bpf_xdp.o:[from-netdev]")).isGreaterThan(4);
    assertThat(runs(cluster.one, "bpf_netdev_eth0.o:[from-netdev]")).isZero();
    assertThat(runs(cluster.one, "bpf_netdev_eth0.o:[to-netdev]")).isZero();
    await()
        .untilAsserted(
            () ->
                assertThat(cluster.one.counters())
                    .containsEntry("tx_packets_eth0", cluster.one.counters().get("rx_packets_eth0"))
                    .containsEntry("drop_xdp_drop", 0L)
                    .containsEntry("buffers_in_use", 0L));
    assertThat(cluster.one.exec("", "cilium", "bpf", "nat", "list").stdout())
        .contains("XLATE_SRC " + cluster.one.ip, "XLATE_DST " + cluster.client.ip);
  }

  @Test
  void leavesALocalBackendToTheStack() {
    Cluster cluster = new Cluster(accelerated(Mode.SNAT));
    cluster.routeDirectly();
    cluster.publish(cluster.two);
    assertThat(cluster.get(cluster.two).stdout())
        .contains("\"origin\": \"" + cluster.client.ip + "\"");
    await()
        .untilAsserted(
            () ->
                assertThat(runs(cluster.two, "bpf_netdev_eth0.o:[from-netdev]"))
                    .isPositive()
                    .isEqualTo(runs(cluster.two, "bpf_xdp.o:[from-netdev]")));
  }

  @Test
  void returnsDirectlyFromTheDriverToo() {
    Cluster cluster = new Cluster(accelerated(Mode.DSR));
    cluster.routeDirectly();
    cluster.publish();
    assertThat(cluster.get().stdout()).contains("\"origin\": \"" + cluster.client.ip + "\"");
    assertThat(runs(cluster.one, "bpf_netdev_eth0.o:[from-netdev]")).isZero();
  }

  @Test
  void countsInTheDriverWhatNoServiceHasABackendFor() {
    Cluster cluster = new Cluster(accelerated(Mode.SNAT));
    cluster.routeDirectly();
    cluster.publish();
    cluster.one.perform(
        replyTo ->
            new Syscall.UpdateMap(
                MapNames.LB4_BACKENDS, List.of(), List.of(Lb4Backend.encodeKey(BACKEND)), replyTo));
    assertThat(
            cluster
                .client
                .exec("", "curl", "-s", "--max-time", "2", "http://" + cluster.one.ip + ":" + PORT)
                .exitCode())
        .isNotZero();
    assertThat(cluster.one.counters().get("drop_xdp_drop")).isPositive();
    assertThat(cluster.one.exec("", "cilium", "bpf", "metrics", "list").stdout())
        .contains("Service backend not found   INGRESS");
  }
}
