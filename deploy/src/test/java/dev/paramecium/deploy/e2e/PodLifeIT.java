package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.deploy.cluster.LocalCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Probes and hooks in a real cluster: their packets go through the datapath, kubectl shows them.
 */
class PodLifeIT {

  private static final String GUARDED =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: web, labels: {app: web}}
      spec:
        nodeName: node-1
        containers:
        - name: web
          image: nginx
          ports: [{name: http, containerPort: 80}]
          readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1, failureThreshold: 1}
          livenessProbe: {tcpSocket: {port: http}, periodSeconds: 1}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {selector: {app: web}, ports: [{port: 80}]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: deny}
      spec:
        podSelector: {matchLabels: {app: web}}
        policyTypes: [Ingress, Egress]
      """;

  private static final String MOODY =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: moody, labels: {app: moody}}
      spec:
        terminationGracePeriodSeconds: 5
        initContainers:
        - {name: first, image: busybox, command: ["true"]}
        containers:
        - name: main
          image: busybox
          command: [sh, -c, "touch /tmp/ready /tmp/alive; sleep 365d"]
          readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 1, failureThreshold: 1}
          livenessProbe: {exec: {command: [cat, /tmp/alive]}, periodSeconds: 1, failureThreshold: 2}
          lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: moody}
      spec: {selector: {app: moody}, ports: [{port: 80}]}
      """;

  private static TestCluster cluster;
  private static Kubectl kubectl;

  @BeforeAll
  static void startTheCluster() throws IOException {
    Path program = Tools.kubectl("1.32");
    cluster = TestCluster.start(2);
    Path home = Files.createDirectory(cluster.home.resolve("kubectl"));
    kubectl = new Kubectl(program, home, LocalCluster.kubeconfig(cluster.home), "default");
  }

  @AfterAll
  static void stopTheCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @AfterEach
  void deleteWhatTheTestMade() {
    kubectl.run("delete", "pod,service,networkpolicy", "--all", "--wait=true");
  }

  private static void eventually(String expected, String... arguments) {
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(() -> assertThat(kubectl.run(arguments)).contains(expected));
  }

  @Test
  void probesReachAPodThatNobodyElseMay() {
    kubectl.runWithInput(GUARDED, "apply", "-f", "-");
    kubectl.run("wait", "--for=condition=Ready", "pod/web", "--timeout=45s");
    String address = kubectl.run("get", "pod", "web", "-o", "jsonpath={.status.podIP}");

    eventually(address + ":80", "get", "endpoints", "web");
    eventually("kube-probe/1.24", "logs", "web");
    String connections = cluster.host("node-1", "cilium", "bpf", "ct", "list", "global").stdout();
    assertThat(connections.lines().filter(line -> line.contains(" -> " + address + ":80 ")))
        .as("the node's own connections to the pod, as its datapath tracked them")
        .isNotEmpty()
        .allSatisfy(line -> assertThat(line).contains("SourceSecurityID=1 "));
    assertThat(kubectl.run("describe", "pod", "web")).doesNotContain("Unhealthy");
  }

  @Test
  void readinessDecidesWhereAServiceLeads() {
    kubectl.runWithInput(MOODY, "apply", "-f", "-");
    kubectl.run("wait", "--for=condition=Ready", "pod/moody", "--timeout=45s");
    String address = kubectl.run("get", "pod", "moody", "-o", "jsonpath={.status.podIP}");
    eventually(
        address, "get", "endpoints", "moody", "-o", "jsonpath={.subsets[0].addresses[*].ip}");

    kubectl.exec("moody", "rm", "/tmp/ready");
    eventually(
        address,
        "get",
        "endpoints",
        "moody",
        "-o",
        "jsonpath={.subsets[0].notReadyAddresses[*].ip}");
    eventually(
        "Readiness probe failed: cat: /tmp/ready: No such file or directory",
        "describe",
        "pod",
        "moody");
    assertThat(
            kubectl.run(
                "get",
                "endpointslices",
                "-l",
                "kubernetes.io/service-name=moody",
                "-o",
                "jsonpath={.items[0].endpoints[0].conditions}"))
        .isEqualTo("{\"ready\":false,\"serving\":false,\"terminating\":false}");
    assertThat(kubectl.run("get", "pod", "moody")).containsPattern("moody +0/1 +Running +0 ");
  }

  @Test
  void aContainerThatIsNotAliveIsStartedAgain() {
    kubectl.runWithInput(MOODY, "apply", "-f", "-");
    kubectl.run("wait", "--for=condition=Ready", "pod/moody", "--timeout=45s");
    kubectl.exec("moody", "rm", "/tmp/alive");
    eventually(
        "1", "get", "pod", "moody", "-o", "jsonpath={.status.containerStatuses[0].restartCount}");
    kubectl.run("wait", "--for=condition=Ready", "pod/moody", "--timeout=45s");
    assertThat(kubectl.run("describe", "pod", "moody"))
        .contains(
            "Liveness probe failed: cat: /tmp/alive: No such file or directory",
            "Container main failed liveness probe, will be restarted");
  }

  @Test
  void aNodeIsCordonedTaintedAndDrained() {
    assertThat(kubectl.run("get", "lease", "-n", "kube-node-lease"))
        .containsPattern("node-1 +node-1 ")
        .containsPattern("node-2 +node-2 ");
    kubectl.runWithInput(MOODY.replace("name: moody,", "name: moved,"), "apply", "-f", "-");
    kubectl.run("wait", "--for=condition=Ready", "pod/moved", "--timeout=45s");
    String node = kubectl.run("get", "pod", "moved", "-o", "jsonpath={.spec.nodeName}");

    assertThat(kubectl.run("cordon", node)).isEqualTo("node/" + node + " cordoned\n");
    assertThat(kubectl.run("get", "node", node)).contains("Ready,SchedulingDisabled");
    assertThat(kubectl.run("drain", node, "--force", "--ignore-daemonsets", "--timeout=60s"))
        .contains("pod/moved evicted", "node/" + node + " drained");
    assertThat(kubectl.tryRun("get", "pod", "moved").stderr()).contains("NotFound");
    assertThat(kubectl.run("uncordon", node)).isEqualTo("node/" + node + " uncordoned\n");

    kubectl.runWithInput(MOODY.replace("name: moody,", "name: chased,"), "apply", "-f", "-");
    kubectl.run("wait", "--for=condition=Ready", "pod/chased", "--timeout=45s");
    String home = kubectl.run("get", "pod", "chased", "-o", "jsonpath={.spec.nodeName}");
    kubectl.run("taint", "node", home, "away=now:NoExecute");
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () -> assertThat(kubectl.tryRun("get", "pod", "chased").stderr()).contains("NotFound"));
    assertThat(kubectl.run("get", "events"))
        .contains("TaintManagerEviction", "Marking for deletion Pod default/chased");
    assertThat(kubectl.run("taint", "node", home, "away:NoExecute-"))
        .isEqualTo("node/" + home + " untainted\n");
  }
}
