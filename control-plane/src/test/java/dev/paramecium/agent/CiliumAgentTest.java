package dev.paramecium.agent;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.agent.CiliumAgent.AgentStatus;
import dev.paramecium.agent.CiliumAgent.CniResult;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointSpec.PodRef;
import dev.paramecium.agent.reconciler.Bytes;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.log.LogBook;
import dev.paramecium.syscall.Syscall;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The agent alone: the test is the kubelet. */
class CiliumAgentTest {

  private final TestCluster cluster = TestCluster.complete();
  private final FakeKernel kernel = new FakeKernel();
  private final NodeConfig config = TestCluster.node(1);
  private final ActorRef<Syscall> kernelRef = cluster.kit.spawn(kernel.behavior());
  private final ActorRef<LogBook.Command> log =
      cluster.kit.spawn(LogBook.create(InstantSource.system()));
  private ActorRef<CiliumAgent.Command> agent = spawn(1);

  private ActorRef<CiliumAgent.Command> spawn(long seed) {
    return cluster.kit.spawn(
        CiliumAgent.create(
            config,
            kernelRef,
            cluster.api,
            InstantSource.system(),
            new SplittableRandom(seed),
            log));
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private static PodRef ref(KubeObject pod) {
    return new PodRef(pod.namespace(), pod.name(), pod.uid());
  }

  private CniResult add(KubeObject pod, String netns) {
    TestProbe<CniResult> probe = cluster.kit.createTestProbe();
    agent.tell(new CiliumAgent.CniAdd(ref(pod), netns, probe.ref()));
    return probe.receiveMessage(Duration.ofSeconds(10));
  }

  private String added(KubeObject pod, String netns) {
    kernel.namespaces.put(netns, true);
    return ((CniResult.Added) add(pod, netns)).address().toString();
  }

  private void delete(PodRef pod) {
    TestProbe<Done> probe = cluster.kit.createTestProbe();
    agent.tell(new CiliumAgent.CniDel(pod, probe.ref()));
    probe.receiveMessage(Duration.ofSeconds(10));
  }

  private AgentStatus status() {
    TestProbe<AgentStatus> probe = cluster.kit.createTestProbe();
    agent.tell(new CiliumAgent.ReadStatus(probe.ref()));
    return probe.receiveMessage(Duration.ofSeconds(10));
  }

  private void awaitReady() {
    eventually(() -> status().ready() && status().pending() == 0);
  }

  private int identityOf(String address) {
    Bytes value =
        kernel
            .maps
            .get(MapNames.IPCACHE)
            .get(new Bytes(new IpcacheKey(Ipv4Address.parse(address)).encode()));
    return value == null ? 0 : RemoteEndpointInfo.decode(value.array()).securityIdentity();
  }

  private Map<Bytes, Bytes> copy(String map) {
    return new HashMap<>(kernel.maps.get(map));
  }

  private List<String> log() {
    TestProbe<LogBook.Lines> probe = cluster.kit.createTestProbe();
    log.tell(new LogBook.Follow(0, probe.ref()));
    return probe.receiveMessage().lines();
  }

  @Test
  void writesWhatItDoesToItsLog() {
    KubeObject pod = cluster.createPod("curl", "curl", config.nodeName());
    String address = added(pod, "cni-1");
    cluster.create(
        ResourceType.NETWORK_POLICY,
        """
        {"kind":"NetworkPolicy","metadata":{"name":"closed","namespace":"default"},
         "spec":{"podSelector":{}}}
        """);
    eventually(() -> log().stream().anyMatch(line -> line.contains("NetworkPolicy")));
    delete(ref(pod));
    eventually(() -> log().getLast().contains("Removed endpoint"));
    String endpoint =
        "endpointID=\\d+ (identity=\\d+ )?ipv4=" + address + " ipv6= k8sPodName=default/curl";
    assertThat(String.join("\n", log()))
        .containsSubsequence(
            "level=info msg=\"Cilium 1.12.3 of Paramecium, in the user space of node node-1\"",
            "level=info msg=\"  Local node-name: node-1\" subsys=daemon",
            "level=info msg=\"Daemon initialization completed\" bootstrapTime=",
            "level=info msg=\"New endpoint\" containerID= endpointID=",
            "level=info msg=\"Identity of endpoint changed\" containerID= ",
            "k8s:app=curl",
            "oldIdentity=\"no identity\" subsys=endpoint",
            "level=info msg=\"Successful endpoint creation\" containerID= ",
            "level=info msg=\"Policy imported via API, recalculating...\" policyRevision=",
            "level=info msg=\"NetworkPolicy successfully added\" k8sApiVersion="
                + " k8sNetworkPolicyName=closed subsys=k8s-watcher",
            "level=info msg=\"Delete endpoint request\" containerID= ipv4=" + address)
        .containsPattern("Successful endpoint creation.* " + endpoint + " subsys=daemon")
        .containsPattern("Removed endpoint.* " + endpoint + " subsys=endpoint");
  }

  @Test
  void answersTheSameAddTwiceWithoutMakingAnythingTwice() {
    KubeObject pod = cluster.createPod("curl", "curl", config.nodeName());
    String address = added(pod, "cni-1");
    assertThat(add(pod, "cni-1")).isEqualTo(new CniResult.Added(Ipv4Address.parse(address)));
    assertThat(kernel.calls.stream().filter(c -> c.endsWith("cni-1 1500"))).hasSize(1);
    assertThat(status().endpoints()).as("the pod and the health endpoint").isEqualTo(2);
  }

  @Test
  void takesOverWhatAnAgentBeforeItLeftInTheKernel() {
    KubeObject pod = cluster.createPod("curl", "curl", config.nodeName());
    String address = added(pod, "cni-1");
    awaitReady();
    Map<Bytes, Bytes> lxc = copy(MapNames.LXC);
    Map<Bytes, Bytes> ipcache = copy(MapNames.IPCACHE);
    cluster.kit.stop(agent);
    // What nobody wants any more: a stale entry, a device and programs of a pod that is gone.
    Bytes stale = new Bytes(new IpcacheKey(Ipv4Address.parse("10.42.9.9")).encode());
    kernel.maps.get(MapNames.IPCACHE).put(stale, ipcache.values().iterator().next());
    kernel.maps.put(MapNames.policyMapName(4095), new java.util.concurrent.ConcurrentHashMap<>());
    kernel.calls.clear();

    agent = spawn(2);
    awaitReady();
    assertThat(added(pod, "cni-1")).isEqualTo(address);
    eventually(() -> !kernel.maps.get(MapNames.IPCACHE).containsKey(stale));
    eventually(() -> !kernel.maps.containsKey(MapNames.policyMapName(4095)));
    assertThat(kernel.calls)
        .noneMatch(c -> c.startsWith("CreateVeth lxc") && !c.contains("health"));
    // The pod's own entries were neither deleted nor written again.
    String key = new Bytes(new IpcacheKey(Ipv4Address.parse(address)).encode()).toString();
    assertThat(kernel.calls)
        .noneMatch(c -> c.startsWith("UpdateMap cilium_ipcache") && c.contains(key));
    ipcache.keySet().removeIf(entry -> ipcache.get(entry).array()[0] == 4);
    assertThat(kernel.maps.get(MapNames.IPCACHE)).containsAllEntriesOf(ipcache);
    assertThat(kernel.maps.get(MapNames.LXC).keySet()).containsAll(lxc.keySet());
  }

  @Test
  void givesAnAddressBackOnlyWhenNothingOfThePodIsLeft() {
    KubeObject pod = cluster.createPod("curl", "curl", config.nodeName());
    String address = added(pod, "cni-1");
    delete(ref(pod));
    assertThat(identityOf(address)).isZero();
    assertThat(cluster.find(ResourceType.CILIUM_ENDPOINT, "default", "curl")).isNull();
    assertThat(status().counters().get("addresses.available")).isEqualTo(252);
    delete(ref(pod)); // again, as after a lost answer
  }

  @Test
  void replacesThePodOfAnEarlierLifeOfTheSameName() {
    KubeObject first = cluster.createPod("curl", "curl", config.nodeName());
    added(first, "cni-1");
    TestCluster.stored(cluster.api.delete(ResourceType.POD, "default", "curl", 0));
    KubeObject second = cluster.createPod("curl", "curl", config.nodeName());
    added(second, "cni-2");
    KubeObject endpoint = cluster.find(ResourceType.CILIUM_ENDPOINT, "default", "curl");
    assertThat(endpoint.text("/metadata/ownerReferences/0/uid")).isEqualTo(second.uid());
    assertThat(kernel.links.values().stream().filter(l -> l.peerNetns().equals("cni-1"))).isEmpty();
    assertThat(status().endpoints()).isEqualTo(2);
  }

  @Test
  void triesAgainWhatTheKernelRefused() {
    awaitReady();
    List<String> refused = new java.util.concurrent.CopyOnWriteArrayList<>();
    kernel.failing =
        call -> {
          boolean first =
              List.of("CreateVeth lxc", "LoadEndpointDatapath", "UpdateMap cilium_lxc").stream()
                  .anyMatch(prefix -> call.startsWith(prefix) && !refused.contains(prefix));
          if (first) {
            refused.add(
                call.startsWith("CreateVeth")
                    ? "CreateVeth lxc"
                    : call.startsWith("Load") ? "LoadEndpointDatapath" : "UpdateMap cilium_lxc");
          }
          return first;
        };
    KubeObject pod = cluster.createPod("curl", "curl", config.nodeName());
    String address = added(pod, "cni-1");
    assertThat(refused).hasSize(3);
    assertThat(identityOf(address)).isGreaterThan(255);
  }

  private void allow(String name, String ingress) {
    cluster.create(
        ResourceType.NETWORK_POLICY,
        """
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"namespace": "default", "name": "%s"},
         "spec": {"podSelector": {"matchLabels": {"app": "httpbin"}}, "policyTypes": ["Ingress"], "ingress": %s}}
        """
            .formatted(name, ingress));
  }

  @Test
  void aPolicyThatWentWhileTheKernelRefusedItLeavesNothingBehind() {
    added(cluster.createPod("curl", "curl", config.nodeName()), "cni-1");
    added(cluster.createPod("httpbin", "httpbin", config.nodeName()), "cni-2");
    awaitReady();
    allow("nobody", "[]");
    String map =
        eventuallyFound(
            () ->
                kernel.maps.keySet().stream()
                    .filter(name -> MapNames.policyMapEndpoint(name) >= 0)
                    .filter(name -> copy(name).size() == 2 && status().pending() == 0)
                    .findFirst());
    Map<Bytes, Bytes> closed = copy(map);
    List<String> refused = new java.util.concurrent.CopyOnWriteArrayList<>();
    kernel.failing = call -> call.startsWith("UpdateMap " + map) && refused.add(call);
    allow("curl", "[{\"from\": [{\"podSelector\": {\"matchLabels\": {\"app\": \"curl\"}}}]}]");
    eventually(() -> !refused.isEmpty());
    TestCluster.stored(cluster.api.delete(ResourceType.NETWORK_POLICY, "default", "curl", 0));
    // Either it asks the kernel to delete what may be there, or it has seen that nothing is.
    eventually(() -> refused.stream().anyMatch(c -> c.contains(" -")) || status().pending() == 0);
    kernel.failing = _ -> false;
    eventually(() -> status().pending() == 0 && copy(map).keySet().equals(closed.keySet()));
  }

  private static <T> T eventuallyFound(
      java.util.function.Supplier<java.util.Optional<T>> supplier) {
    eventually(() -> supplier.get().isPresent());
    return supplier.get().orElseThrow();
  }

  @Test
  void changesTheIdentityOfAPodWhoseLabelsChange() {
    KubeObject pod = cluster.createPod("curl", "curl", config.nodeName());
    String address = added(pod, "cni-1");
    int before = identityOf(address);
    TestCluster.stored(
        cluster.api.mergePatch(
            ResourceType.POD,
            "default",
            "curl",
            "",
            "{\"metadata\":{\"labels\":{\"app\":\"other\"}}}"));
    eventually(() -> identityOf(address) != before && identityOf(address) != 0);
    eventually(
        () ->
            cluster
                    .find(ResourceType.CILIUM_ENDPOINT, "default", "curl")
                    .at("/status/identity/id")
                    .asInt()
                == identityOf(address));
    assertThat(kernel.programs).containsValue(identityOf(address));
  }

  @Test
  void namesDevicesAfterTheEndpointsId() {
    // printf 2826 | sha256sum
    assertThat(EndpointSpec.lxcName(2826)).matches("lxc[0-9a-f]{12}").isEqualTo("lxc7d608decaea5");
  }
}
