package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.TraceStream;
import dev.paramecium.deploy.walk.Walk;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The packet walk on three real JVMs: each relation of the reference scenario, through the commands
 * that an operator would type.
 */
class WalkIT {

  private static final Pattern LINK_HEAD = Pattern.compile("(?m)^(\\d+): ([^:@]+)@if(\\d+):");
  private static final Pattern LINK_MAC = Pattern.compile("link/ether ([0-9a-f:]{17})");

  private static TestCluster cluster;
  private static Pods.Pod curl;
  private static Pods.Pod httpbin;

  @BeforeAll
  static void startTheCluster() throws InterruptedException {
    cluster = TestCluster.start(2);
    cluster.applyWalkPods();
    curl = cluster.awaitReady("curl");
    httpbin = cluster.awaitReady("httpbin");
  }

  @AfterAll
  static void stopTheCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static String url() {
    return "http://" + httpbin.address() + ":80/get";
  }

  @Test
  void httpbinAnswersOverTwoNodes() {
    TestCluster.Output output = cluster.exec("curl", "curl", "-s", url());

    assertThat(output.exitCode()).isZero();
    assertThat(output.stdout())
        .contains("\"origin\": \"" + curl.address() + "\"")
        .contains("\"url\": \"http://" + httpbin.address());
    assertThat(curl.node()).isNotEqualTo(httpbin.node());
  }

  @Test
  void thePodsRouteLeadsThroughTheRoutersAddress() {
    String gateway = routerAddress("node-1");

    assertThat(cluster.exec("curl", "ip", "route", "get", httpbin.address().toString()).stdout())
        .contains(httpbin.address() + " via " + gateway + " dev eth0 src " + curl.address());
  }

  @Test
  void theGatewaysMacIsTheLxcDevices() {
    cluster.exec("curl", "curl", "-s", url());

    String arp = cluster.exec("curl", "arp", "-n").stdout();

    assertThat(arp)
        .contains(
            "? ("
                + routerAddress("node-1")
                + ") at "
                + lxc("node-1", "curl").mac()
                + " [ether] on eth0");
  }

  @Test
  void theEndsOfTheVethPairNameEachOther() {
    String podSide = cluster.exec("curl", "ip", "link", "show", "eth0").stdout();
    Matcher pod = LINK_HEAD.matcher(podSide);
    assertThat(pod.find()).isTrue();
    Link lxc = lxc("node-1", "curl");

    assertThat(Integer.parseInt(pod.group(3))).isEqualTo(lxc.ifindex());
    assertThat(lxc.peerIfindex()).isEqualTo(Integer.parseInt(pod.group(1)));
  }

  @Test
  void theIpcacheSendsTheOtherNodesPodThroughTheOtherNode() {
    String line =
        line(
            cluster.host("node-1", "cilium", "map", "get", "cilium_ipcache").stdout(),
            httpbin.address() + "/32");

    assertThat(line)
        .matches(
            ".*identity="
                + identity("httpbin")
                + " encryptkey=0 tunnelendpoint="
                + nodeAddress("node-2")
                + "\\s+sync\\s*");
  }

  @Test
  void theEndpointMapHasTheDevicesMacsAndIndex() {
    Link lxc = lxc("node-2", "httpbin");
    Matcher podMac =
        LINK_MAC.matcher(cluster.exec("httpbin", "ip", "link", "show", "eth0").stdout());
    assertThat(podMac.find()).isTrue();

    String line =
        line(
            cluster.host("node-2", "cilium", "map", "get", "cilium_lxc").stdout(),
            httpbin.address() + ":0");

    assertThat(line)
        .containsIgnoringCase("mac=" + podMac.group(1))
        .containsIgnoringCase("nodemac=" + lxc.mac())
        .containsPattern("ifindex=" + lxc.ifindex() + "\\b")
        .contains("flags=0x0000");
  }

  @Test
  void lxcDevicesHaveNoEgressProgram() {
    Link lxc = lxc("node-2", "httpbin");

    String net = cluster.host("node-2", "bpftool", "net", "show", "dev", lxc.name()).stdout();

    assertThat(net)
        .contains(
            lxc.name() + "(" + lxc.ifindex() + ") clsact/ingress bpf_lxc.o:[from-container] id ")
        .doesNotContain("clsact/egress");
  }

  @Test
  void theProgramOnTheDeviceIsTheOneThatBpftoolAndTcShow() {
    Link lxc = lxc("node-1", "curl");
    Matcher id =
        Pattern.compile("from-container] id (\\d+)")
            .matcher(cluster.host("node-1", "bpftool", "net", "show", "dev", lxc.name()).stdout());
    assertThat(id.find()).isTrue();

    String program = cluster.host("node-1", "bpftool", "prog", "show", "id", id.group(1)).stdout();
    Matcher tag = Pattern.compile("tag ([0-9a-f]{16})").matcher(program);
    assertThat(tag.find()).isTrue();

    assertThat(program)
        .startsWith(id.group(1) + ": sched_cls  name handle_xgress  tag ")
        .contains("\tloaded_at ");
    assertThat(
            cluster.host("node-1", "tc", "filter", "show", "dev", lxc.name(), "ingress").stdout())
        .contains(
            "filter protocol all pref 1 bpf chain 0 handle 0x1 bpf_lxc.o:[from-container]"
                + " direct-action not_in_hw id "
                + id.group(1)
                + " tag "
                + tag.group(1)
                + " jited");
  }

  @Test
  void requestAndReplyTakeAllEightStepsInOrder() {
    List<Observation> seen;
    try (TraceStream trace =
        TraceStream.open(
            cluster.api, new TraceFilter(curl.address(), httpbin.address(), 6, 0, 80))) {
      assertThat(cluster.exec("curl", "curl", "-s", url()).exitCode()).isZero();
      assertThat(
              trace.await(
                  o -> data(o, true) != null && data(o, true).isComplete(), TestCluster.LIMIT))
          .isTrue();
      seen = trace.observations();
    }
    Walk request = data(seen, false);
    Walk reply = data(seen, true);

    assertThat(request.isComplete()).isTrue();
    assertThat(nodesOf(request)).containsExactly("node-1", "node-2");
    assertThat(nodesOf(reply)).containsExactly("node-2", "node-1");
    assertThat(step(request, 2).program()).isEqualTo("bpf_lxc.o:[from-container]");
    assertThat(step(request, 2).lookups())
        .anySatisfy(
            lookup -> {
              assertThat(lookup.map()).isEqualTo("cilium_ipcache");
              assertThat(lookup.value()).contains("tunnelendpoint=" + nodeAddress("node-2"));
            });
    assertThat(step(request, 3).program()).isEqualTo("bpf_overlay.o:[to-overlay]");
    assertThat(step(request, 4).program()).isEqualTo("bpf_netdev_eth0.o:[to-netdev]");
    assertThat(step(request, 5).program()).isEqualTo("bpf_netdev_eth0.o:[from-netdev]");
    assertThat(step(request, 6).program()).isEqualTo("bpf_overlay.o:[from-overlay]");
    assertThat(step(request, 7).program()).startsWith("bpf_lxc.o");
  }

  @Test
  void theVniOnTheWireIsTheSourcesIdentity() {
    List<Observation> seen;
    try (TraceStream trace =
        TraceStream.open(
            cluster.api, new TraceFilter(curl.address(), httpbin.address(), 6, 0, 80))) {
      cluster.exec("curl", "curl", "-s", url());
      assertThat(
              trace.await(
                  o -> data(o, true) != null && data(o, true).isComplete(), TestCluster.LIMIT))
          .isTrue();
      seen = trace.observations();
    }

    assertThat(step(data(seen, false), 6).vni()).isEqualTo(identity("curl"));
    assertThat(step(data(seen, true), 6).vni()).isEqualTo(identity("httpbin"));
  }

  private static Walk data(List<Observation> seen, boolean reply) {
    return Walk.first(Walk.byPacket(seen), reply, Walk::carriesData).orElse(null);
  }

  private static Observation step(Walk walk, int step) {
    return walk.steps().stream().filter(o -> o.step() == step).findFirst().orElseThrow();
  }

  private static List<String> nodesOf(Walk walk) {
    return walk.steps().stream().map(Observation::node).distinct().toList();
  }

  /** A pod's lxc device as the node's {@code ip link} shows it. */
  private record Link(int ifindex, String name, int peerIfindex, String mac) {}

  private static Link lxc(String node, String pod) {
    Matcher podSide = LINK_HEAD.matcher(cluster.exec(pod, "ip", "link", "show", "eth0").stdout());
    assertThat(podSide.find()).isTrue();
    int wanted = Integer.parseInt(podSide.group(3));
    String links = cluster.host(node, "ip", "link").stdout();
    Matcher head = LINK_HEAD.matcher(links);
    while (head.find()) {
      if (Integer.parseInt(head.group(1)) == wanted) {
        Matcher mac = LINK_MAC.matcher(links);
        assertThat(mac.find(head.end())).isTrue();
        return new Link(wanted, head.group(2), Integer.parseInt(head.group(3)), mac.group(1));
      }
    }
    throw new AssertionError("no link " + wanted + " on " + node + ":\n" + links);
  }

  private static int identity(String pod) {
    JsonNode endpoint =
        cluster.api.get("/apis/cilium.io/v2/namespaces/default/ciliumendpoints/" + pod);
    return endpoint.path("status").path("identity").path("id").asInt();
  }

  private static String routerAddress(String node) {
    for (JsonNode address :
        cluster.api.get("/apis/cilium.io/v2/ciliumnodes/" + node).path("spec").path("addresses")) {
      if (address.path("type").asText().equals("CiliumInternalIP")) {
        return address.path("ip").asText();
      }
    }
    throw new AssertionError("no CiliumInternalIP on " + node);
  }

  private static String nodeAddress(String node) {
    for (JsonNode address :
        cluster.api.get("/api/v1/nodes/" + node).path("status").path("addresses")) {
      if (address.path("type").asText().equals("InternalIP")) {
        return address.path("address").asText();
      }
    }
    throw new AssertionError("no InternalIP on " + node);
  }

  private static String line(String text, String start) {
    return text.lines()
        .filter(line -> line.startsWith(start))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no line starts with " + start + " in\n" + text));
  }
}
