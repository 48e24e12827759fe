package dev.paramecium.userland;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.agent.FakeKernel;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.agent.TestCluster;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.syscall.LinkInfo;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NodeUserlandTest {

  private final TestCluster cluster = TestCluster.complete();
  private final FakeKernel kernel1 = new FakeKernel();
  private final FakeKernel kernel2 = new FakeKernel();
  private final NodeConfig node1 = TestCluster.node(1);
  private final NodeConfig node2 = TestCluster.node(2);

  @AfterEach
  void stop() {
    cluster.close();
  }

  private RemoteEndpointInfo ipcache(FakeKernel kernel, String address) {
    Bytes value =
        kernel
            .maps
            .get(MapNames.IPCACHE)
            .get(new Bytes(new IpcacheKey(Ipv4Address.parse(address)).encode()));
    return value == null ? null : RemoteEndpointInfo.decode(value.array());
  }

  private EndpointInfo lxc(FakeKernel kernel, String address) {
    Bytes value =
        kernel
            .maps
            .get(MapNames.LXC)
            .get(new Bytes(new EndpointKey(Ipv4Address.parse(address)).encode()));
    return value == null ? null : EndpointInfo.decode(value.array());
  }

  private String podIp(String name) {
    return cluster.find(ResourceType.POD, "default", name).text("/status/podIP");
  }

  private static boolean isReady(KubeObject object) {
    for (JsonNode condition : object.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText().equals("True");
      }
    }
    return false;
  }

  private void awaitNode(NodeConfig config) {
    eventually(
        () -> {
          KubeObject node = cluster.find(ResourceType.NODE, "", config.nodeName());
          return node != null && isReady(node) && !node.text("/spec/podCIDR").isEmpty();
        });
  }

  @Test
  void runsAPodWhoseMapsAreFilledBeforeItsContainerStarts() {
    cluster.start(node1, kernel1, 1);
    awaitNode(node1);
    cluster.createPod("curl", "curl", "node-1");
    cluster.awaitPod("curl", "Running");

    String address = podIp("curl");
    Ipv4Prefix podCidr =
        Ipv4Prefix.parse(cluster.find(ResourceType.NODE, "", "node-1").text("/spec/podCIDR"));
    assertThat(podCidr.contains(Ipv4Address.parse(address))).isTrue();
    KubeObject endpoint = cluster.find(ResourceType.CILIUM_ENDPOINT, "default", "curl");
    int id = endpoint.at("/status/id").asInt();
    int identity = endpoint.at("/status/identity/id").asInt();
    assertThat(identity).isBetween(256, 65535);
    assertThat(endpoint.text("/status/networking/node")).isEqualTo(node1.nodeIp().toString());
    assertThat(endpoint.text("/status/networking/addressing/0/ipv4")).isEqualTo(address);
    assertThat(endpoint.text("/status/state")).isEqualTo("ready");

    assertThat(ipcache(kernel1, address))
        .isEqualTo(new RemoteEndpointInfo(identity, Ipv4Address.ANY));
    EndpointInfo entry = lxc(kernel1, address);
    LinkInfo host =
        kernel1.links.values().stream()
            .filter(link -> link.ifindex() == entry.ifindex())
            .findFirst()
            .orElseThrow();
    LinkInfo pod =
        kernel1.links.values().stream()
            .filter(link -> link.ifindex() == host.peerIfindex())
            .findFirst()
            .orElseThrow();
    assertThat(entry).isEqualTo(new EndpointInfo(host.ifindex(), id, 0, pod.mac(), host.mac()));
    assertThat(host.name()).matches("lxc[0-9a-f]{12}");
    assertThat(host.mtu()).isEqualTo(1500);
    assertThat(pod.netns())
        .matches("cni-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    assertThat(kernel1.calls)
        .anyMatch(
            c -> c.startsWith("ConfigurePodInterface eth0 " + address) && c.endsWith("mtu 1450"));

    Map<Bytes, Bytes> policy = kernel1.maps.get(MapNames.policyMapName(id));
    Bytes allow = new Bytes(PolicyEntry.ALLOW.encode());
    assertThat(policy)
        .containsOnly(
            Map.entry(new Bytes(new PolicyKey(0, 0, 0, false).encode()), allow),
            Map.entry(new Bytes(new PolicyKey(0, 0, 0, true).encode()), allow),
            Map.entry(new Bytes(new PolicyKey(1, 0, 0, false).encode()), allow));

    String lxcKey = new Bytes(new EndpointKey(Ipv4Address.parse(address)).encode()).toString();
    int started = kernel1.calls.indexOf("StartContainer default/curl main");
    assertThat(kernel1.calls.subList(0, started))
        .as("calls before the container starts")
        .contains("LoadEndpointDatapath " + id + " identity " + identity)
        .anyMatch(c -> c.startsWith("UpdateMap " + MapNames.policyMapName(id)))
        .anyMatch(c -> c.startsWith("UpdateMap cilium_lxc") && c.contains("+" + lxcKey));
  }

  @Test
  void tellsEachNodeAboutTheOthersPods() {
    cluster.start(node1, kernel1, 1);
    awaitNode(node1);
    cluster.start(node2, kernel2, 2);
    awaitNode(node2);
    cluster.createPod("httpbin", "httpbin", "node-2");
    cluster.awaitPod("httpbin", "Running");

    String address = podIp("httpbin");
    int identity =
        cluster
            .find(ResourceType.CILIUM_ENDPOINT, "default", "httpbin")
            .at("/status/identity/id")
            .asInt();
    RemoteEndpointInfo expected = new RemoteEndpointInfo(identity, node2.nodeIp());
    eventually(() -> expected.equals(ipcache(kernel1, address)));
    assertThat(lxc(kernel1, address)).isNull();
    assertThat(ipcache(kernel2, address).tunnelEndpoint()).isEqualTo(Ipv4Address.ANY);

    // Facts, section 8: the other node itself directly, its router through the tunnel.
    KubeObject other = cluster.find(ResourceType.CILIUM_NODE, "", "node-2");
    String router = other.text("/spec/addresses/1/ip");
    eventually(() -> new RemoteEndpointInfo(6, node2.nodeIp()).equals(ipcache(kernel1, router)));
    assertThat(ipcache(kernel1, node2.nodeIp().toString()))
        .isEqualTo(new RemoteEndpointInfo(6, Ipv4Address.ANY));
    assertThat(ipcache(kernel1, other.text("/spec/health/ipv4")))
        .isEqualTo(new RemoteEndpointInfo(4, node2.nodeIp()));
    assertThat(ipcache(kernel1, node1.nodeIp().toString()))
        .isEqualTo(new RemoteEndpointInfo(1, Ipv4Address.ANY));
    assertThat(lxc(kernel1, node1.nodeIp().toString()).isHost()).isTrue();
    Bytes world =
        kernel1
            .maps
            .get(MapNames.IPCACHE)
            .get(new Bytes(new IpcacheKey(0, Ipv4Address.ANY).encode()));
    assertThat(RemoteEndpointInfo.decode(world.array()).securityIdentity()).isEqualTo(2);
    Ipv4Prefix otherCidr = Ipv4Prefix.parse(other.text("/spec/ipam/podCIDRs/0"));
    assertThat(kernel1.maps.get(MapNames.TUNNEL))
        .containsOnly(
            Map.entry(
                new Bytes(new EndpointKey(otherCidr.address()).encode()),
                new Bytes(new EndpointKey(node2.nodeIp()).encode())));
    eventually(
        () -> kernel1.calls.stream().anyMatch(c -> c.startsWith("ReplaceRoute " + otherCidr)));
  }

  @Test
  void leavesNothingOfADeletedPod() {
    cluster.start(node1, kernel1, 1);
    cluster.createPod("curl", "curl", "");
    cluster.awaitPod("curl", "Running");
    String address = podIp("curl");
    int id = cluster.find(ResourceType.CILIUM_ENDPOINT, "default", "curl").at("/status/id").asInt();

    TestCluster.stored(cluster.api.delete(ResourceType.POD, "default", "curl", 7));
    eventually(() -> cluster.find(ResourceType.POD, "default", "curl") == null);

    assertThat(kernel1.calls).contains("StopContainer main 7000");
    assertThat(kernel1.podContainers()).isEmpty();
    assertThat(kernel1.namespaces.keySet()).containsOnly("cilium-health");
    assertThat(kernel1.links.keySet())
        .noneMatch(name -> name.startsWith("/lxc") && !name.equals("/lxc_health"));
    assertThat(kernel1.maps).doesNotContainKey(MapNames.policyMapName(id));
    assertThat(lxc(kernel1, address)).isNull();
    assertThat(ipcache(kernel1, address)).isNull();
    assertThat(cluster.find(ResourceType.CILIUM_ENDPOINT, "default", "curl")).isNull();
  }

  @Test
  void comesBackAfterItsProcessWasKilled() {
    ActorRef<NodeUserland.Command> userland = cluster.start(node1, kernel1, 1);
    cluster.createPod("curl", "curl", "node-1");
    cluster.awaitPod("curl", "Running");
    String address = podIp("curl");
    KubeObject before = cluster.find(ResourceType.CILIUM_NODE, "", "node-1");
    cluster.kit.stop(userland);

    // Everything in the kernel is gone with the process: the next one starts empty.
    cluster.start(node1, kernel2, 99);
    eventually(() -> kernel2.calls.contains("StartContainer default/curl main"));
    eventually(
        () ->
            cluster
                    .find(ResourceType.POD, "default", "curl")
                    .at("/status/containerStatuses/0/restartCount")
                    .asInt()
                == 1);
    assertThat(podIp("curl")).isEqualTo(address);
    assertThat(lxc(kernel2, address)).isNotNull();
    KubeObject after = cluster.find(ResourceType.CILIUM_NODE, "", "node-1");
    assertThat(after.at("/spec")).isEqualTo(before.at("/spec"));
    assertThat(cluster.list(ResourceType.CILIUM_IDENTITY)).hasSize(1);
    assertThat(cluster.list(ResourceType.POD)).hasSize(1);
  }

  @Test
  void showsItsAgentAsAPod() {
    cluster.withAgentPods().start(node1, kernel1, 1);
    eventually(
        () ->
            cluster.list(ResourceType.POD).stream()
                .anyMatch(pod -> pod.name().matches("cilium-[a-z0-9]{5}") && isReady(pod)));
    KubeObject agent = cluster.list(ResourceType.POD).getFirst();
    assertThat(agent.namespace()).isEqualTo("kube-system");
    assertThat(agent.labels()).containsEntry("k8s-app", "cilium");
    assertThat(agent.text("/status/podIP")).isEqualTo(node1.nodeIp().toString());
    assertThat(agent.text("/spec/containers/0/name")).isEqualTo("cilium-agent");
    eventually(
        () ->
            kernel1.files.entrySet().stream()
                .anyMatch(
                    file ->
                        file.getKey().endsWith("/component.log")
                            && file.getValue().contains("level=info msg=")));
  }

  @Test
  void restartsAContainerThatFails() {
    cluster.start(node1, kernel1, 1);
    cluster.createPod("curl", "curl", "");
    cluster.awaitPod("curl", "Running");
    kernel1.exit("main", 3);
    eventually(
        () ->
            cluster
                    .find(ResourceType.POD, "default", "curl")
                    .at("/status/containerStatuses/0/restartCount")
                    .asInt()
                == 1);
    cluster.awaitPod("curl", "Running");
    eventually(() -> isReady(cluster.find(ResourceType.POD, "default", "curl")));
    assertThat(
            cluster
                .find(ResourceType.POD, "default", "curl")
                .at("/status/containerStatuses/0/lastState/terminated/exitCode")
                .asInt())
        .isEqualTo(3);
    kernel1.exit("main", 3);
    eventually(
        () ->
            cluster
                .find(ResourceType.POD, "default", "curl")
                .text("/status/containerStatuses/0/state/waiting/reason")
                .equals("CrashLoopBackOff"));
  }

  @Test
  void leavesAPodOfAnUnknownNodePending() {
    cluster.start(node1, kernel1, 1);
    awaitNode(node1);
    cluster.createPod("lost", "lost", "no-such-node");
    cluster.createPod("curl", "curl", "");
    cluster.awaitPod("curl", "Running");
    assertThat(cluster.find(ResourceType.POD, "default", "lost").text("/status/phase"))
        .isEqualTo("Pending");
  }

  @Test
  void keepsItsMapsWhileTheApiServerIsAwayAndGoesOnAfterwards() {
    cluster.start(node1, kernel1, 1);
    cluster.createPod("curl", "curl", "node-1");
    cluster.awaitPod("curl", "Running");
    Map<String, Map<Bytes, Bytes>> before = copy(kernel1.maps);
    int containers = kernel1.podContainers().size();
    cluster.killApiServer();
    kernel1.exit("main", 0); // it restarts: pods do not depend on the API server
    eventually(
        () ->
            kernel1.calls.stream().filter(c -> c.startsWith("StartContainer default/curl")).count()
                == 2);
    assertThat(copy(kernel1.maps)).isEqualTo(before);
    assertThat(kernel1.podContainers()).hasSize(containers);

    cluster.startApiServer();
    cluster.createPod("late", "curl", "node-1");
    cluster.awaitPod("late", "Running");
    eventually(
        () ->
            cluster
                    .find(ResourceType.POD, "default", "curl")
                    .at("/status/containerStatuses/0/restartCount")
                    .asInt()
                == 1);
    assertThat(cluster.list(ResourceType.CILIUM_IDENTITY))
        .as("both have the same labels")
        .hasSize(1);
    assertThat(cluster.list(ResourceType.CILIUM_ENDPOINT)).hasSize(2);
    assertThat(kernel1.podContainers()).hasSize(2);
  }

  private static Map<String, Map<Bytes, Bytes>> copy(Map<String, Map<Bytes, Bytes>> maps) {
    Map<String, Map<Bytes, Bytes>> copy = new java.util.HashMap<>();
    maps.forEach((name, entries) -> copy.put(name, Map.copyOf(entries)));
    return copy;
  }
}
