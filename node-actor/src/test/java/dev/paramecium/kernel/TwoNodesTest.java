package dev.paramecium.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.datapath.underlay.MemoryNetwork;
import dev.paramecium.datapath.underlay.UnderlayKind;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two kernels in one JVM whose underlay is real sockets on loopback. */
final class TwoNodesTest {

  @ParameterizedTest
  @EnumSource(UnderlayKind.class)
  void podsOnTwoNodesReachEachOther(UnderlayKind underlay) {
    try (TwoNodes nodes = new TwoNodes(config -> config.withUnderlay(underlay))) {
      assertReachable(nodes);
    }
  }

  @Test
  void podsReachEachOtherWithoutAnySocket() {
    MemoryNetwork network = new MemoryNetwork();
    try (TwoNodes nodes =
        new TwoNodes(config -> config.withNetwork(pool -> network.attach(config.nodeIp(), pool)))) {
      assertReachable(nodes);
    }
  }

  private static void assertReachable(TwoNodes nodes) {
    TestNode.Outcome ping =
        nodes.one.exec(nodes.curl.containerId(), "ping", "-c", "1", "10.42.0.51");
    assertThat(ping.stdout()).contains("1 packets transmitted, 1 received, 0% packet loss");
    TestNode.Outcome get =
        nodes.one.exec(nodes.curl.containerId(), "curl", "-s", "http://10.42.0.51:80/get");
    assertThat(get.stdout()).contains("\"url\": \"http://10.42.0.51/get\"");
    assertThat(get.exitCode()).isZero();
  }

  @Test
  void nodeReachesItsPodsOtherNodesPodsAndOtherNodes() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      for (String target :
          List.of("10.42.1.80", "10.42.0.51", "127.0.0.13", "10.42.0.247", "10.42.1.247")) {
        TestNode.Outcome ping = nodes.one.exec("", "ping", "-c", "1", "-W", "2", target);
        assertThat(ping.exitCode())
            .as("ping %s%n%s%n%s", target, ping, nodes.one.counters())
            .isZero();
      }
      assertThat(nodes.one.exec("", "curl", "-s", "http://10.42.0.51/status/204").exitCode())
          .isZero();
    }
  }

  @Test
  void whatIsSentOnLoIsCountedThereAndSeenByTcpdump() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      String pod = nodes.httpbin.containerId();
      for (String container : List.of("", pod)) {
        TestNode node = container.isEmpty() ? nodes.one : nodes.two;
        assertThat(node.exec(container, "ping", "-c", "2", "127.0.0.1").exitCode()).isZero();

        String shown = node.exec(container, "ip", "-s", "link", "show", "lo").stdout();

        List<String> lines = shown.lines().toList();
        assertThat(lines.get(2)).contains("RX:", "bytes", "packets");
        // Two echo requests and two replies of 98 bytes, each sent and received here.
        assertThat(lines.get(3).strip()).startsWith("392 ").contains(" 4 ");
        assertThat(lines.get(5).strip()).startsWith("392 ").contains(" 4 ");
      }
      assertThat(nodes.two.exec(pod, "curl", "-s", "http://127.0.0.1/status/204").exitCode())
          .isZero();
      TestNode.Outcome dump =
          nodes.one.exec(
              "",
              "sh",
              "-c",
              "(sleep 0.3; ping -c 1 127.0.0.1 >/dev/null) & tcpdump -ni lo -c 2 icmp; wait");
      assertThat(dump.stdout())
          .contains("127.0.0.1 > 127.0.0.1: ICMP echo request")
          .contains("127.0.0.1 > 127.0.0.1: ICMP echo reply");
    }
  }

  @Test
  void netstatAndSsListAPodsSockets() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      String pod = nodes.httpbin.containerId();

      assertThat(nodes.two.exec(pod, "netstat", "-tln").stdout())
          .isEqualTo(
              """
              Active Internet connections (only servers)
              Proto Recv-Q Send-Q Local Address           Foreign Address         State      \s
              tcp        0      0 0.0.0.0:80              0.0.0.0:*               LISTEN     \s
              """);
      assertThat(nodes.two.exec(pod, "ss", "-tln").stdout())
          .isEqualTo(
              """
              State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
              LISTEN 0      2048         0.0.0.0:80        0.0.0.0:*  \s
              """);
      assertThat(
              nodes
                  .one
                  .exec(
                      nodes.curl.containerId(),
                      "sh",
                      "-c",
                      "curl -s http://10.42.0.51/delay/1 >/dev/null & sleep 0.5; netstat -tn")
                  .stdout())
          .containsPattern(
              "tcp        0      0 10\\.42\\.1\\.80:[0-9]+ +10\\.42\\.0\\.51:80 +ESTABLISHED");
    }
  }

  @Test
  void podsSeeTheirGatewayAtTheLxcDevice() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      assertReachable(nodes);
      String arp = nodes.one.exec(nodes.curl.containerId(), "arp", "-n").stdout();
      assertThat(arp).contains("(10.42.1.247) at " + nodes.curl.veth().host().mac());
      String inPod =
          nodes.one.exec(nodes.curl.containerId(), "ip", "link", "show", "eth0").stdout();
      assertThat(inPod)
          .contains(
              nodes.curl.veth().pod().ifindex()
                  + ": eth0@if"
                  + nodes.curl.veth().host().ifindex()
                  + ":");
      String onNode = nodes.one.exec("", "ip", "link").stdout();
      assertThat(onNode)
          .contains(
              nodes.curl.veth().host().ifindex()
                  + ": lxccurl@if"
                  + nodes.curl.veth().pod().ifindex()
                  + ":")
          .contains(
              "2: eth0:", "cilium_net@cilium_host:", "cilium_host@cilium_net:", "cilium_vxlan:");
    }
  }

  @Test
  void nothingIsAttachedToTheEgressOfAnLxcDevice() {
    try (TwoNodes nodes = new TwoNodes(config -> config)) {
      List<String> rows =
          Arrays.stream(nodes.one.exec("", "bpftool", "net", "show").stdout().split("\n"))
              .filter(row -> row.contains("clsact"))
              .map(row -> row.replaceAll(" id \\d+$", "").trim())
              .toList();
      assertThat(rows)
          .containsExactly(
              "eth0(2) clsact/ingress bpf_netdev_eth0.o:[from-netdev]",
              "eth0(2) clsact/egress bpf_netdev_eth0.o:[to-netdev]",
              "cilium_net(3) clsact/ingress bpf_host_cilium_net.o:[to-host]",
              "cilium_host(4) clsact/ingress bpf_host.o:[to-host]",
              "cilium_host(4) clsact/egress bpf_host.o:[from-host]",
              "cilium_vxlan(5) clsact/ingress bpf_overlay.o:[from-overlay]",
              "cilium_vxlan(5) clsact/egress bpf_overlay.o:[to-overlay]",
              "lxccurl(7) clsact/ingress bpf_lxc.o:[from-container]");
    }
  }
}
