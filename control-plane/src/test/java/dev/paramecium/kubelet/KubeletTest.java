package dev.paramecium.kubelet;

import static dev.paramecium.agent.TestCluster.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.agent.FakeKernel;
import dev.paramecium.agent.NodeConfig;
import dev.paramecium.agent.TestCluster;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.kubelet.KubeletRequest.KubeletStatus;
import dev.paramecium.kubelet.KubeletRequest.TraceArmed;
import dev.paramecium.syscall.AgentCall;
import dev.paramecium.syscall.ContainerSpec;
import dev.paramecium.syscall.ExecOutput;
import dev.paramecium.syscall.ExecRequest;
import dev.paramecium.syscall.LogRequest;
import dev.paramecium.syscall.Observation;
import dev.paramecium.syscall.TraceFilter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The kubelet as the cluster sees it: found by the receptionist, asked by messages. */
class KubeletTest {

  private final TestCluster cluster = TestCluster.complete();
  private final FakeKernel kernel = new FakeKernel();
  private final NodeConfig config = TestCluster.node(1);

  @AfterEach
  void stop() {
    cluster.close();
  }

  private ActorRef<KubeletRequest> kubelet() {
    cluster.start(config, kernel, 1);
    TestProbe<Receptionist.Listing> listings = cluster.kit.createTestProbe();
    cluster
        .kit
        .system()
        .receptionist()
        .tell(Receptionist.subscribe(KubeletRequest.key(config.nodeName()), listings.ref()));
    while (true) {
      for (ActorRef<KubeletRequest> found :
          listings
              .receiveMessage(Duration.ofSeconds(5))
              .getServiceInstances(KubeletRequest.key(config.nodeName()))) {
        return found;
      }
    }
  }

  private String run(ActorRef<KubeletRequest> kubelet, String pod, String... argv) {
    TestProbe<ExecOutput> client = cluster.kit.createTestProbe();
    kubelet.tell(
        new KubeletRequest.Exec(
            pod.startsWith("cilium-") ? "kube-system" : "default",
            pod,
            "",
            new ExecRequest("", List.of(argv), false, false),
            client.ref()));
    return collect(client);
  }

  private static String collect(TestProbe<ExecOutput> client) {
    StringBuilder text = new StringBuilder();
    while (true) {
      switch (client.receiveMessage(Duration.ofSeconds(5))) {
        case ExecOutput.Ack _ -> text.append("");
        case ExecOutput.Started _ -> text.append("");
        case ExecOutput.Data data -> text.append(new String(data.bytes(), StandardCharsets.UTF_8));
        case ExecOutput.Exited exited -> {
          return text + "exit " + exited.exitCode();
        }
        case ExecOutput.Refused refused -> {
          return refused.message();
        }
      }
    }
  }

  @Test
  void runsCommandsWhereTheyBelong() {
    cluster.withAgentPods();
    ActorRef<KubeletRequest> kubelet = kubelet();
    cluster.createPod("curl", "curl", config.nodeName());
    cluster.awaitPod("curl", "Running");
    String container = kernel.podContainers().keySet().iterator().next();
    assertThat(run(kubelet, "curl", "ip", "link")).isEqualTo("ran ip link\nexit 0");
    assertThat(kernel.calls).contains("Exec " + container + " [ip, link]");

    eventually(() -> cluster.list(ResourceType.POD).size() == 2);
    String agent =
        cluster.list(ResourceType.POD).stream()
            .map(KubeObject::name)
            .filter(name -> name.startsWith("cilium-"))
            .findFirst()
            .orElseThrow();
    eventually(
        () ->
            cluster
                .find(ResourceType.POD, "kube-system", agent)
                .text("/status/phase")
                .equals("Running"));
    assertThat(run(kubelet, agent, "bpftool", "net")).isEqualTo("ran bpftool net\nexit 0");
    assertThat(kernel.calls).contains("Exec  [bpftool, net]");
    assertThat(run(kubelet, agent, "cilium", "bpf", "ct", "list", "global")).startsWith("ran ");
    assertThat(ask("cilium", "endpoint", "list").stdout())
        .contains("k8s:app=curl", "reserved:health", "reserved:host");
    assertThat(ask("cilium", "node", "list").stdout()).contains("default/node-1");

    TestProbe<ExecOutput> client = cluster.kit.createTestProbe();
    kubelet.tell(
        new KubeletRequest.HostExec(
            new ExecRequest("", List.of("tc", "qdisc"), false, false), client.ref()));
    assertThat(collect(client)).isEqualTo("ran tc qdisc\nexit 0");
    kubelet.tell(
        new KubeletRequest.ReadLog(
            "default", "curl", "", new LogRequest("", false, -1, 0, false), client.ref()));
    assertThat(collect(client)).isEqualTo("log of " + container + "\nexit 0");
  }

  /** As the node's {@code cilium} asks. */
  private AgentCall.Reply ask(String... argv) {
    TestProbe<AgentCall.Reply> reply = cluster.kit.createTestProbe();
    Objects.requireNonNull(kernel.agent, "nobody listens on the agent's socket")
        .tell(new AgentCall(List.of(argv), reply.ref()));
    return reply.receiveMessage();
  }

  @Test
  void startsAnEphemeralContainerInAPodThatRunsAndNeverAgain() {
    kubelet();
    cluster.createPod("curl", "curl", config.nodeName());
    cluster.awaitPod("curl", "Running");
    String target = kernel.podContainers().keySet().iterator().next();
    TestCluster.stored(
        cluster.api.mergePatch(
            ResourceType.POD,
            "default",
            "curl",
            "ephemeralcontainers",
            """
            {"spec":{"ephemeralContainers":[
              {"name":"debugger","image":"busybox","targetContainerName":"%s","stdin":true}]}}
            """
                .formatted(kernel.podContainers().get(target).containerName())));
    eventually(
        () -> at("/status/ephemeralContainerStatuses/0/state/running/startedAt").isTextual());
    String id = at("/status/ephemeralContainerStatuses/0/containerID").asText().substring(13);
    assertThat(kernel.podContainers().get(id).pidsOf()).isEqualTo(target);
    kernel.exit("debugger", 3);
    eventually(
        () -> at("/status/ephemeralContainerStatuses/0/state/terminated/exitCode").asInt() == 3);
    assertThat(at("/status/ephemeralContainerStatuses/0/restartCount").asInt()).isZero();
    assertThat(at("/status/ephemeralContainerStatuses/0/containerID").asText()).endsWith(id);
    assertThat(at("/status/phase").asText()).isEqualTo("Running");
    assertThat(at("/status/containerStatuses")).hasSize(1);
  }

  private JsonNode at(String pointer) {
    return cluster.find(ResourceType.POD, "default", "curl").at(pointer);
  }

  @Test
  void saysWhyACommandCannotRun() {
    ActorRef<KubeletRequest> kubelet = kubelet();
    assertThat(run(kubelet, "nobody", "id"))
        .isEqualTo("pod \"nobody\" in namespace \"default\" does not run on node node-1");
    cluster.createPod("curl", "curl", config.nodeName());
    cluster.awaitPod("curl", "Running");
    TestProbe<ExecOutput> client = cluster.kit.createTestProbe();
    kubelet.tell(
        new KubeletRequest.Exec(
            "default",
            "curl",
            "sidecar",
            new ExecRequest("", List.of("id"), false, false),
            client.ref()));
    assertThat(collect(client)).isEqualTo("container sidecar is not valid for pod curl");
  }

  @Test
  void reportsTheNodeInNumbersAndArmsTraces() {
    ActorRef<KubeletRequest> kubelet = kubelet();
    cluster.createPod("curl", "curl", config.nodeName());
    cluster.awaitPod("curl", "Running");
    long revision = cluster.find(ResourceType.CILIUM_ENDPOINT, "default", "curl").resourceVersion();
    TestProbe<KubeletStatus> status = cluster.kit.createTestProbe();
    eventually(
        () -> {
          kubelet.tell(new KubeletRequest.ReadStatus(true, status.ref()));
          KubeletStatus now = status.receiveMessage(Duration.ofSeconds(5));
          return now.appliedRevision() >= revision
              && now.pending() == 0
              && now.endpoints() == 2
              && now.counters().containsKey("packets")
              && now.pid() == ProcessHandle.current().pid();
        });
    TestProbe<TraceArmed> armed = cluster.kit.createTestProbe();
    TestProbe<Observation> observer = cluster.kit.createTestProbe();
    kubelet.tell(
        new KubeletRequest.ArmTrace(
            "t1",
            new TraceFilter(Ipv4Address.ANY, Ipv4Address.ANY, 6, 0, 80),
            observer.ref(),
            armed.ref()));
    assertThat(armed.receiveMessage()).isEqualTo(new TraceArmed("node-1", "t1"));
  }

  @Test
  void forgetsAHostNetworkPodThatIsDeletedAtOnce() {
    ActorRef<KubeletRequest> kubelet = kubelet();
    KubeObject pod =
        cluster.create(
            ResourceType.POD,
            """
            {"kind":"Pod","metadata":{"name":"proxy","namespace":"default"},
             "spec":{"nodeName":"node-1","hostNetwork":true,
               "containers":[{"name":"main","image":"busybox"}]}}
            """);
    cluster.awaitPod("proxy", "Running");
    assertThat(workers(kubelet)).isEqualTo(1);
    TestCluster.stored(cluster.api.delete(ResourceType.POD, "default", "proxy", 0, pod.uid()));
    eventually(() -> workers(kubelet) == 0);
    assertThat(kernel.podContainers()).isEmpty();
    eventually(() -> kernel.calls.stream().anyMatch(call -> call.startsWith("RemoveContainer")));
  }

  @Test
  void tellsTheOperatorsPodWhatTheOperatorDoes() {
    kubelet();
    KubeObject pod =
        cluster.create(
            ResourceType.POD,
            """
            {"kind":"Pod","metadata":{"name":"operator","namespace":"default"},
             "spec":{"nodeName":"node-1","hostNetwork":true,
               "containers":[{"name":"main","image":"quay.io/cilium/operator-generic:v1.12.3"}]}}
            """);
    cluster.awaitPod("operator", "Running");
    String file =
        kernel.podContainers().keySet().iterator().next() + "/var/run/cilium/component.log";
    StringBuilder log = new StringBuilder();
    eventually(
        () -> {
          log.append(kernel.files.getOrDefault(file, ""));
          return log.indexOf("level=info msg=\"Allocated pod CIDR\" node=node-1") > 0;
        });
    cluster.createPod("curl", "curl", config.nodeName());
    eventually(() -> kernel.files.get(file).contains("k8s:app=curl"));
    assertThat(kernel.files.get(file))
        .as("what was told before is not told again")
        .containsPattern("(?s)^[0-9]{13,} level=info msg=\"Allocated identity\" identity=[0-9]+ .*")
        .doesNotContain("pod CIDR");
    assertThat(pod.at("/spec/hostNetwork").asBoolean()).isTrue();
  }

  private long workers(ActorRef<KubeletRequest> kubelet) {
    TestProbe<KubeletStatus> status = cluster.kit.createTestProbe();
    kubelet.tell(new KubeletRequest.ReadStatus(true, status.ref()));
    return status.receiveMessage(Duration.ofSeconds(5)).counters().get("pods");
  }

  @Test
  void showsTheNodeAsARealKubeletDoes() {
    kubelet();
    eventually(
        () -> {
          KubeObject node = cluster.find(ResourceType.NODE, "", "node-1");
          return node != null && node.at("/status/conditions").size() == 5;
        });
    KubeObject node = cluster.find(ResourceType.NODE, "", "node-1");
    assertThat(node.labels()).containsEntry("kubernetes.io/hostname", "node-1");
    assertThat(node.text("/status/addresses/0/address")).isEqualTo(config.nodeIp().toString());
    assertThat(node.text("/status/nodeInfo/kubeletVersion")).startsWith("v1.24.");
    assertThat(node.text("/status/nodeInfo/kernelVersion")).startsWith("5.4.0-");
    assertThat(node.text("/status/capacity/pods")).isEqualTo("110");
  }

  @Test
  void aContainerWaitsForWhatItRefersTo() {
    kubelet();
    cluster.create(
        ResourceType.POD,
        """
        {"kind":"Pod","metadata":{"name":"web","namespace":"default"},
         "spec":{"nodeName":"node-1","volumes":[{"name":"c","configMap":{"name":"files"}}],
           "containers":[{"name":"main","image":"busybox","args":["$(COLOUR)"],
             "env":[{"name":"COLOUR","valueFrom":{"secretKeyRef":{"name":"s","key":"colour"}}}],
             "volumeMounts":[{"name":"c","mountPath":"/c"}]}]}}
        """);
    eventually(
        () ->
            cluster
                .eventsOf("web")
                .contains(
                    "Warning FailedMount: MountVolume.SetUp failed for volume \"c\" : configmap"
                        + " \"files\" not found"));
    cluster.create(
        ResourceType.CONFIG_MAP,
        """
        {"kind":"ConfigMap","metadata":{"name":"files","namespace":"default"},"data":{"a":"b"}}
        """);
    eventually(
        () ->
            cluster
                .find(ResourceType.POD, "default", "web")
                .text("/status/containerStatuses/0/state/waiting/reason")
                .equals("CreateContainerConfigError"));
    assertThat(kernel.podContainers()).isEmpty();
    cluster.create(
        ResourceType.SECRET,
        """
        {"kind":"Secret","metadata":{"name":"s","namespace":"default"},"data":{"colour":"Ymx1ZQ=="}}
        """);
    cluster.awaitPod("web", "Running");
    ContainerSpec spec = kernel.podContainers().values().iterator().next();
    assertThat(spec.env()).containsEntry("COLOUR", "blue");
    assertThat(spec.args()).containsExactly("blue");
    assertThat(spec.files()).containsKeys("/c/a", "/etc/resolv.conf");
    assertThat(
            cluster
                .find(ResourceType.POD, "default", "web")
                .at("/status/containerStatuses/0/restartCount")
                .asInt())
        .as("waiting is no crash")
        .isZero();
  }

  private void patch(ResourceType type, String name, String patch) {
    TestCluster.stored(cluster.api.mergePatch(type, "default", name, "", patch));
  }

  @Test
  void mountedVolumesFollowWhatTheyShow() {
    kubelet();
    cluster.create(
        ResourceType.CONFIG_MAP,
        """
        {"kind":"ConfigMap","metadata":{"name":"files","namespace":"default"},
         "data":{"a":"1","b":"2"}}
        """);
    cluster.create(
        ResourceType.POD,
        """
        {"kind":"Pod","metadata":{"name":"web","namespace":"default","labels":{"tier":"blue"}},
         "spec":{"nodeName":"node-1","volumes":[{"name":"c","configMap":{"name":"files"}},
             {"name":"d","downwardAPI":{"items":[
               {"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}}]}}],
           "containers":[{"name":"main","image":"busybox","volumeMounts":[
             {"name":"c","mountPath":"/c"},{"name":"d","mountPath":"/d"},
             {"name":"c","mountPath":"/one","subPath":"a"}]}]}}
        """);
    cluster.awaitPod("web", "Running");
    String id = kernel.podContainers().keySet().iterator().next();
    eventually(() -> "1".equals(kernel.files.get(id + "/c/a")));

    patch(ResourceType.CONFIG_MAP, "files", "{\"data\":{\"a\":\"3\",\"b\":null,\"n\":\"4\"}}");
    eventually(() -> "3".equals(kernel.files.get(id + "/c/a")));
    assertThat(kernel.files).containsEntry(id + "/c/n", "4").doesNotContainKey(id + "/c/b");
    assertThat(kernel.files).as("a subPath stays").doesNotContainKey(id + "/one");

    patch(ResourceType.POD, "web", "{\"metadata\":{\"labels\":{\"tier\":\"green\"}}}");
    eventually(() -> kernel.files.get(id + "/d/labels").contains("green"));

    KubeObject map = cluster.find(ResourceType.CONFIG_MAP, "default", "files");
    TestCluster.stored(
        cluster.api.delete(ResourceType.CONFIG_MAP, "default", "files", 0, map.uid()));
    patch(ResourceType.POD, "web", "{\"metadata\":{\"labels\":{\"tier\":\"red\"}}}");
    cluster.create(
        ResourceType.CONFIG_MAP,
        """
        {"kind":"ConfigMap","metadata":{"name":"files","namespace":"default"},"data":{"a":"5"}}
        """);
    eventually(() -> "5".equals(kernel.files.get(id + "/c/a")));
    assertThat(kernel.files).doesNotContainKey(id + "/c/n");
  }

  @Test
  void aPodThatWaitsForAVolumeCanBeDeleted() {
    kubelet();
    cluster.create(
        ResourceType.POD,
        """
        {"kind":"Pod","metadata":{"name":"web","namespace":"default"},
         "spec":{"nodeName":"node-1","volumes":[{"name":"c","secret":{"secretName":"no"}}],
           "containers":[{"name":"main","image":"busybox",
             "volumeMounts":[{"name":"c","mountPath":"/c"}]}]}}
        """);
    eventually(() -> cluster.eventsOf("web").stream().anyMatch(e -> e.contains("FailedMount")));
    TestCluster.stored(cluster.api.delete(ResourceType.POD, "default", "web", 1));
    eventually(() -> cluster.find(ResourceType.POD, "default", "web") == null);
  }

  @Test
  void saysWhatBecomesOfItsNode() {
    kubelet();
    eventually(() -> cluster.eventsOf("node-1").size() == 5);
    assertThat(cluster.eventsOf("node-1"))
        .containsExactlyInAnyOrder(
            "Normal Starting: Starting kubelet.",
            "Normal NodeHasSufficientMemory: Node node-1 status is now: NodeHasSufficientMemory",
            "Normal NodeHasNoDiskPressure: Node node-1 status is now: NodeHasNoDiskPressure",
            "Normal NodeHasSufficientPID: Node node-1 status is now: NodeHasSufficientPID",
            "Normal NodeReady: Node node-1 status is now: NodeReady");
    assertThat(cluster.list(ResourceType.EVENT))
        .allSatisfy(event -> assertThat(event.text("/involvedObject/uid")).isEqualTo("node-1"));
  }

  @Test
  void saysWhatBecomesOfAPodsContainers() {
    kubelet();
    cluster.createPod("curl", "curl", config.nodeName());
    cluster.awaitPod("curl", "Running");
    kernel.exit("main", 1); // the first restart is at once, the second waits
    eventually(() -> restarts("curl") == 1);
    cluster.awaitPod("curl", "Running");
    eventually(
        () -> {
          kernel.exit("main", 1);
          return cluster.eventsOf("curl").size() == 4;
        });
    assertThat(cluster.eventsOf("curl"))
        .containsExactly(
            "Normal Pulled: Container image \"curlimages/curl\" already present on machine",
            "Normal Created: Created container main",
            "Normal Started: Started container main",
            "Warning BackOff: Back-off restarting failed container");
    assertThat(cluster.list(ResourceType.EVENT))
        .filteredOn(event -> event.text("/reason").equals("Pulled"))
        .filteredOn(event -> event.text("/involvedObject/name").equals("curl"))
        .singleElement()
        .satisfies(
            event -> {
              assertThat(event.at("/count").asInt()).isEqualTo(2);
              assertThat(event.text("/involvedObject/fieldPath"))
                  .isEqualTo("spec.containers{main}");
              assertThat(event.text("/source/host")).isEqualTo(config.nodeName());
            });
  }

  @Test
  void saysThatItStopsTheContainersOfADeletedPod() {
    kubelet();
    cluster.createPod("curl", "curl", config.nodeName());
    cluster.awaitPod("curl", "Running");
    TestCluster.stored(cluster.api.delete(ResourceType.POD, "default", "curl", 1));
    eventually(() -> cluster.eventsOf("curl").contains("Normal Killing: Stopping container main"));
  }

  private int restarts(String pod) {
    return cluster
        .find(ResourceType.POD, "default", pod)
        .at("/status/containerStatuses/0/restartCount")
        .asInt();
  }

  @Test
  void runsAPodThatEndsToItsEnd() {
    kubelet();
    cluster.create(
        ResourceType.POD,
        """
        {"kind":"Pod","metadata":{"name":"job","namespace":"default"},
         "spec":{"nodeName":"node-1","restartPolicy":"OnFailure",
           "initContainers":[{"name":"first","image":"busybox"}],
           "containers":[{"name":"main","image":"busybox"}]}}
        """);
    eventually(() -> kernel.calls.contains("StartContainer default/job first"));
    assertThat(kernel.calls).doesNotContain("StartContainer default/job main");
    assertThat(cluster.find(ResourceType.POD, "default", "job").text("/status/phase"))
        .isEqualTo("Pending");
    kernel.exit("first", 0);
    cluster.awaitPod("job", "Running");
    kernel.exit("main", 0);
    cluster.awaitPod("job", "Succeeded");
    KubeObject job = cluster.find(ResourceType.POD, "default", "job");
    assertThat(job.text("/status/containerStatuses/0/state/terminated/reason"))
        .isEqualTo("Completed");
    assertThat(job.at("/status/containerStatuses/0/restartCount").asInt()).isZero();
    assertThat(job.text("/status/initContainerStatuses/0/image"))
        .isEqualTo("docker.io/library/busybox:latest");
    // Its address is free for others, its containers stay for whoever reads their logs.
    eventually(() -> cluster.find(ResourceType.CILIUM_ENDPOINT, "default", "job") == null);
    assertThat(job.text("/status/podIP")).isNotEmpty();
    assertThat(kernel.calls).noneMatch(call -> call.startsWith("DeleteNetns cni-"));
  }

  @Test
  void keepsTheNodesLeaseRenewedAndItsStatusTrue() {
    kubelet();
    eventually(() -> cluster.find(ResourceType.LEASE, "kube-node-lease", "node-1") != null);
    KubeObject lease = cluster.find(ResourceType.LEASE, "kube-node-lease", "node-1");
    assertThat(lease.text("/spec/holderIdentity")).isEqualTo("node-1");
    assertThat(lease.at("/spec/leaseDurationSeconds").asInt()).isEqualTo(40);
    assertThat(lease.text("/spec/renewTime")).matches("....-..-..T..:..:..\\.[0-9]{6}Z");
    KubeObject node = cluster.find(ResourceType.NODE, "", "node-1");
    assertThat(lease.text("/metadata/ownerReferences/0/uid")).isEqualTo(node.uid());

    eventually(() -> ready().equals("True"));
    // As the node lifecycle controller does with a node that it does not hear.
    cluster
        .api
        .mergePatch(
            ResourceType.NODE,
            "",
            "node-1",
            "status",
            "{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\"}]}}")
        .toCompletableFuture()
        .join();
    eventually(() -> ready().equals("True"));
  }

  private String ready() {
    for (var condition : cluster.find(ResourceType.NODE, "", "node-1").at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText();
      }
    }
    return "";
  }
}
