package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.io.IOException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * A Linux VXLAN device is as good a peer as another emulated node.
 *
 * <pre>
 *   node-1 (JVM) 198.18.71.1 ---- veth ---- 198.18.71.2 netns pm-peer, vxlan0 10.42.99.2
 * </pre>
 */
class VxlanPeerIT {

  private static final String NETNS = "pm-peer";
  private static final String VETH = "pm-veth0";
  private static final String NODE = "198.18.71.1";
  private static final String PEER = "198.18.71.2";
  private static final String PEER_POD = "10.42.99.2";

  @Test
  void aLinuxVxlanDevicePingsAndTalksTcpWithAnEmulatedPod()
      throws IOException, InterruptedException {
    Tools.need("ip");
    Tools.need("ping");
    Tools.need("curl");
    Tools.need("ethtool");
    Tools.needRoot();
    Tools.tryRun("ip", "netns", "del", NETNS);
    Tools.run("ip", "netns", "add", NETNS);
    try {
      Tools.run("ip", "link", "add", VETH, "type", "veth", "peer", "name", "eth0", "netns", NETNS);
      Tools.run("ip", "addr", "add", NODE + "/30", "dev", VETH);
      Tools.run("ip", "link", "set", VETH, "up");
      inPeer("ip", "addr", "add", PEER + "/30", "dev", "eth0");
      inPeer("ip", "link", "set", "eth0", "up");
      inPeer("ip", "link", "set", "lo", "up");
      Ipv4Address block = LocalCluster.freeLoopbackBlock(1);
      Topology topology =
          new Topology(
              "default",
              "127.0.0.1",
              LocalCluster.freePort(),
              Topology.Options.DEFAULT,
              List.of(new Topology.Node("node-1", Ipv4Address.parse(NODE))));
      try (TestCluster cluster = TestCluster.start(topology, block)) {
        talk(cluster);
      }
    } finally {
      Tools.tryRun("ip", "link", "del", VETH);
      Tools.run("ip", "netns", "del", NETNS);
    }
  }

  private static void talk(TestCluster cluster) throws IOException, InterruptedException {
    cluster.apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: httpbin, labels: {app: httpbin}}
        spec:
          containers:
          - {name: httpbin, image: kennethreitz/httpbin, ports: [{containerPort: 80}]}
        """);
    String pod = cluster.awaitReady("httpbin").address().toString();
    JsonNode endpoint =
        cluster.api.get("/apis/cilium.io/v2/namespaces/default/ciliumendpoints/httpbin");
    int identity = endpoint.path("status").path("identity").path("id").asInt();
    // One VNI both ways: the peer's pod has the identity of ours, so one VXLAN device receives what
    // it could have sent.
    cluster.apply(
        """
        apiVersion: cilium.io/v2
        kind: CiliumEndpoint
        metadata: {name: peer}
        status:
          id: 99
          identity: {id: %d}
          networking: {addressing: [{ipv4: %s}], node: %s}
          state: ready
        """
            .formatted(identity, PEER_POD, PEER));
    await()
        .atMost(TestCluster.LIMIT)
        .until(
            () ->
                cluster
                    .host("node-1", "cilium", "bpf", "ipcache", "list")
                    .stdout()
                    .contains(PEER_POD + "/32"));

    inPeer(
        "ip",
        "link",
        "add",
        "vxlan0",
        "address",
        gatewayMac(cluster),
        "type",
        "vxlan",
        "id",
        Integer.toString(identity),
        "dstport",
        "8472",
        "local",
        PEER,
        "nolearning",
        "dev",
        "eth0");
    // Over a veth pair Linux leaves the inner checksum to a network card that is not there.
    inPeer("ethtool", "-K", "vxlan0", "tx", "off");
    inPeer("ip", "addr", "add", PEER_POD + "/24", "dev", "vxlan0");
    inPeer("ip", "link", "set", "vxlan0", "mtu", "1450", "up");
    inPeer("ip", "route", "add", pod + "/32", "dev", "vxlan0");
    inPeer("ip", "neigh", "add", pod, "lladdr", "02:00:00:00:00:01", "dev", "vxlan0");
    inPeer("bridge", "fdb", "append", "02:00:00:00:00:01", "dev", "vxlan0", "dst", NODE);

    assertThat(inPeer("ping", "-c", "3", "-i", "0.2", "-W", "2", pod)).contains("3 received");
    assertThat(inPeer("curl", "-sS", "-m", "5", "http://" + pod + "/get"))
        .contains("\"origin\": \"" + PEER_POD + "\"");
    assertThat(
            inPeer(
                "curl",
                "-sS",
                "-m",
                "10",
                "-o",
                "/dev/null",
                "-w",
                "%{size_download}",
                "http://" + pod + "/bytes/100000"))
        .isEqualTo("100000");
  }

  /**
   * The MAC that the pod sends to: Linux takes only frames that are addressed to its own device.
   */
  private static String gatewayMac(TestCluster cluster) {
    Matcher pod =
        Pattern.compile("@if(\\d+):")
            .matcher(cluster.exec("httpbin", "ip", "link", "show", "eth0").stdout());
    assertThat(pod.find()).isTrue();
    Matcher mac =
        Pattern.compile("(?m)^" + pod.group(1) + ": lxc[^\\n]*\\n\\s+link/ether ([0-9a-f:]{17})")
            .matcher(cluster.host("node-1", "ip", "link").stdout());
    assertThat(mac.find()).isTrue();
    return mac.group(1);
  }

  private static String inPeer(String... command) throws IOException, InterruptedException {
    String[] all = new String[command.length + 4];
    all[0] = "ip";
    all[1] = "netns";
    all[2] = "exec";
    all[3] = NETNS;
    System.arraycopy(command, 0, all, 4, command.length);
    return Tools.run(all);
  }
}
