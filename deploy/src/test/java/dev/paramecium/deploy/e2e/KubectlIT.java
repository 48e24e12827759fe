package dev.paramecium.deploy.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.cluster.LocalCluster;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Four unmodified kubectls against one cluster: the packet walk's commands and a day's work, by the
 * shape of what they print and by how the values in it hang together.
 */
@ParameterizedClass(name = "kubectl {0}")
@ValueSource(strings = {"1.20", "1.28", "1.32", "1.35"})
class KubectlIT {

  private static final String DENY =
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: deny}
      spec:
        podSelector: {matchLabels: {app: httpbin}}
        policyTypes: [Ingress]
      """;

  private static final String ALLOW =
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: allow}
      spec:
        podSelector: {matchLabels: {app: httpbin}}
        policyTypes: [Ingress]
        ingress:
        - from: [{podSelector: {matchLabels: {app: curl}}}]
          ports: [{port: 80}]
      """;

  private static TestCluster cluster;
  private static Kubectl kubectl;

  @Parameter private String version;

  @BeforeParameterizedClassInvocation
  static void applyTheWalksPods(String version) throws IOException, InterruptedException {
    kubectl = null;
    Path program = Tools.kubectl(version);
    if (cluster == null) {
      cluster = TestCluster.start(2);
    }
    String namespace = "walk-" + version.replace('.', '-');
    Path home = Files.createDirectory(cluster.home.resolve("kubectl-" + version));
    kubectl = new Kubectl(program, home, LocalCluster.kubeconfig(cluster.home), namespace);

    assertThat(kubectl.run("create", "namespace", namespace))
        .isEqualTo("namespace/" + namespace + " created\n");
    assertThat(kubectl.runWithInput(TestCluster.WALK_PODS, "apply", "-f", "-"))
        .isEqualTo("pod/curl created\npod/httpbin created\n");
    assertThat(
            kubectl.run(
                "wait", "--for=condition=Ready", "pod/curl", "pod/httpbin", "--timeout=45s"))
        .isEqualTo("pod/curl condition met\npod/httpbin condition met\n");
    Pods.awaitSynced(cluster.api, 2, TestCluster.LIMIT);
  }

  @AfterParameterizedClassInvocation
  static void deleteTheNamespace() {
    if (kubectl == null) {
      return;
    }
    String namespace = kubectl.namespace();
    assertThat(kubectl.run("delete", "namespace", namespace))
        .startsWith("namespace \"" + namespace + "\" deleted");
    assertNotFound(kubectl.tryRun("get", "namespace", namespace), "namespaces", namespace);
  }

  @AfterAll
  static void stopTheCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void theProgramIsOfTheVersionItIsTakenFor() {
    assertThat(kubectl.run("version", "--client")).contains("v" + version + ".");
  }

  // The packet walk.

  @Test
  void getPrintsTheArticlesColumns() {
    List<List<String>> table = table(kubectl.run("get", "po", "httpbin", "-o", "wide"));

    assertThat(table.getFirst())
        .containsExactly(
            "NAME",
            "READY",
            "STATUS",
            "RESTARTS",
            "AGE",
            "IP",
            "NODE",
            "NOMINATED NODE",
            "READINESS GATES");
    assertThat(table).hasSize(2);
    List<String> row = table.getLast();
    assertThat(row.get(4)).matches("\\d+[smh].*");
    assertThat(row)
        .containsExactly(
            "httpbin",
            "1/1",
            "Running",
            "0",
            row.get(4),
            address("httpbin"),
            "node-2",
            "<none>",
            "<none>");
  }

  @Test
  void applyingTheSameAgainChangesNothing() {
    assertThat(kubectl.runWithInput(TestCluster.WALK_PODS, "apply", "-f", "-"))
        .isEqualTo("pod/curl unchanged\npod/httpbin unchanged\n");
  }

  @Test
  void httpbinAnswersOverTwoNodes() {
    assertThat(kubectl.exec("curl", "curl", "-s", "http://" + address("httpbin") + ":80/get"))
        .contains("\"origin\": \"" + address("curl") + "\"")
        .contains("\"url\": \"http://" + address("httpbin") + "/get\"");
  }

  @Test
  void thePodsRouteLeadsThroughTheRouterWhoseMacIsTheLxcDevices() {
    String router =
        group(
            onNode("node-1", "ip", "addr", "show", "cilium_host"),
            "inet ([0-9.]+)/32 scope global");

    assertThat(kubectl.exec("curl", "ip", "route", "get", address("httpbin")))
        .contains(address("httpbin") + " via " + router + " dev eth0 src " + address("curl"));
    kubectl.exec("curl", "curl", "-s", "http://" + address("httpbin") + "/get");
    assertThat(kubectl.exec("curl", "arp", "-n"))
        .contains("? (" + router + ") at " + lxc("node-1", "curl").mac() + " [ether] on eth0");
  }

  @Test
  void theEndsOfTheVethPairNameEachOther() {
    Link podSide = podSide("curl");
    Link lxc = lxc("node-1", "curl");

    assertThat(lxc.name()).startsWith("lxc");
    assertThat(lxc.peer()).isEqualTo(podSide.index());
    assertThat(lxc.mac()).isNotEqualTo(podSide.mac());
  }

  @Test
  void theLxcDeviceHasFromContainerAtItsIngressAndNothingAtItsEgress() {
    Link lxc = lxc("node-1", "curl");

    String net = onNode("node-1", "bpftool", "net", "show", "dev", lxc.name());
    String id =
        group(
            net,
            Pattern.quote(lxc.name() + "(" + lxc.index() + ")")
                + " clsact/ingress bpf_lxc\\.o:\\[from-container] id (\\d+)");
    assertThat(net)
        .containsSubsequence("xdp:\n", "tc:\n", "flow_dissector:\n")
        .doesNotContain("egress");
    String program = onNode("node-1", "bpftool", "prog", "show", "id", id);
    String tag =
        group(program, "^" + id + ": sched_cls  name handle_xgress  tag ([0-9a-f]{16})  gpl\n");
    assertThat(program).containsPattern("xlated \\d+B  jited \\d+B  memlock \\d+B  map_ids \\d+");
    assertThat(onNode("node-1", "tc", "filter", "show", "dev", lxc.name(), "ingress"))
        .contains(
            "bpf_lxc.o:[from-container] direct-action not_in_hw id "
                + id
                + " tag "
                + tag
                + " jited");
  }

  @Test
  void theTunnelAndTheNodesDeviceHaveProgramsBothWays() {
    assertBothWays("cilium_vxlan", "bpf_overlay\\.o:\\[from-overlay]", "\\[to-overlay]");
    assertBothWays("eth0", "bpf_netdev_eth0\\.o:\\[from-netdev]", "\\[to-netdev]");
  }

  private static void assertBothWays(String device, String ingress, String egress) {
    String net = onNode("node-1", "bpftool", "net", "show", "dev", device);
    String at = device + "\\((\\d+)\\) clsact/";
    String in = group(net, at + "ingress " + ingress + " id \\d+");
    String out = group(net, at + "egress \\S+" + egress + " id \\d+");
    assertThat(in).isEqualTo(out);
  }

  @Test
  void theIpcacheSendsHttpbinThroughItsNode() {
    String other =
        kubectl.run(
            "get",
            "node",
            "node-2",
            "-o",
            "jsonpath={.status.addresses[?(@.type==\"InternalIP\")].address}");
    String identity = kubectl.run("get", "cep", "httpbin", "-o", "jsonpath={.status.identity.id}");

    assertThat(
            line(
                onNode("node-1", "cilium", "map", "get", "cilium_ipcache"),
                address("httpbin") + "/32"))
        .matches(
            ".*\\sidentity="
                + identity
                + " encryptkey=0 tunnelendpoint="
                + Pattern.quote(other)
                + "\\s+sync\\s*");
  }

  @Test
  void theEndpointMapHasTheMacsOfBothEndsOfTheVethPair() {
    Link lxc = lxc("node-2", "httpbin");

    assertThat(
            line(onNode("node-2", "cilium", "map", "get", "cilium_lxc"), address("httpbin") + ":0"))
        .containsPattern("id=\\d+\\s+flags=0x0000 ifindex=" + lxc.index() + "\\s")
        .containsIgnoringCase(" mac=" + podSide("httpbin").mac())
        .containsIgnoringCase(" nodemac=" + lxc.mac());
  }

  @Test
  void aShellInTheAgentsPodAsksTheAgent() {
    assertThat(
            onNode(
                "node-1", "sh", "-c", "cilium endpoint list | grep -c reserved:health; ip -o link"))
        .startsWith("1\n")
        .contains("cilium_host");
    assertThat(onNode("node-2", "sh", "-c", "cilium status --brief")).isEqualTo("OK\n");
  }

  @Test
  void kubeSystemHoldsCiliumsOwnPods() throws Exception {
    for (String workload :
        List.of("ds/cilium", "deploy/cilium-operator", "deploy/coredns", "deploy/hubble-relay")) {
      kubectl.run("rollout", "status", workload, "-n", "kube-system", "--timeout=60s");
    }
    assertThat(table(kubectl.run("get", "ds", "cilium", "-n", "kube-system")).get(1))
        .startsWith("cilium", "2", "2", "2", "2", "2");
    assertThat(
            kubectl.run(
                "exec", "-n", "kube-system", "ds/cilium", "--", "cilium", "status", "--brief"))
        .isEqualTo("OK\n");
    assertThat(kubectl.run("get", "cm", "cilium-config", "-n", "kube-system", "-o", "yaml"))
        .contains("tunnel: vxlan");
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () ->
                assertThat(kubectl.run("logs", "deploy/cilium-operator", "-n", "kube-system"))
                    .contains(
                        "msg=\"Starting CRD identity garbage collector\"",
                        "msg=\"Allocated pod CIDR\" node=node-1",
                        "msg=\"Allocated identity\""));
    assertThat(kubectl.run("logs", "ds/cilium", "-n", "kube-system"))
        .contains(
            "msg=\"Daemon initialization completed\"", "msg=\"Successful endpoint creation\"");
    assertThat(kubectl.run("logs", "deploy/hubble-relay", "-n", "kube-system"))
        .contains("listenAddress=\":4245\"", "answered UNAVAILABLE");
    assertThat(table(kubectl.run("get", "svc", "hubble-relay", "-n", "kube-system")).get(1))
        .contains("ClusterIP", "80/TCP");
  }

  @Test
  void containersFindTheirConfiguration() {
    kubectl.run("create", "configmap", "page", "--from-literal=colour=blue");
    kubectl.run("create", "secret", "generic", "key", "--from-literal=password=s3cret");
    kubectl.runWithInput(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: configured, labels: {tier: web}}
        spec:
          containers:
          - name: main
            image: busybox
            args: [sh, -c, "echo it is $(COLOUR); sleep 1000"]
            env:
            - {name: COLOUR, valueFrom: {configMapKeyRef: {name: page, key: colour}}}
            - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
            volumeMounts:
            - {name: files, mountPath: /files}
          volumes:
          - name: files
            projected:
              sources:
              - configMap: {name: page}
              - secret: {name: key}
              - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
        """,
        "apply",
        "-f",
        "-");
    kubectl.run("wait", "--for=condition=Ready", "pod/configured", "--timeout=60s");
    assertThat(kubectl.run("logs", "configured")).isEqualTo("it is blue\n");
    assertThat(kubectl.exec("configured", "cat", "/files/colour", "/files/password"))
        .isEqualTo("blues3cret");
    assertThat(kubectl.exec("configured", "cat", "/files/labels")).contains("tier=\"web\"");
    assertThat(kubectl.exec("configured", "env"))
        .contains("\nIP=" + address("configured") + "\n")
        .contains("\nKUBERNETES_SERVICE_HOST=10.96.0.1\n");
    kubectl.run("delete", "pod", "configured", "--force", "--grace-period=0");
  }

  @Test
  void eventsTellOfNodesAndCanBeSorted() {
    assertThat(kubectl.run("describe", "node", "node-1"))
        .containsPattern("Normal +Starting +.* +kubelet.* +Starting kubelet\\.")
        .containsPattern("Normal +NodeReady +.* +Node node-1 status is now: NodeReady")
        .containsPattern("Normal +RegisteredNode +.* +node-controller +Node node-1 event");
    assertThat(kubectl.run("get", "events", "-n", "kube-system", "--sort-by=.lastTimestamp"))
        .contains("LAST SEEN", "Created pod: cilium-");
  }

  @Test
  void podsFindServicesByTheirNames() {
    await()
        .atMost(TestCluster.LIMIT)
        .until(
            () ->
                kubectl
                    .tryRun(
                        "get",
                        "deployment",
                        "coredns",
                        "-n",
                        "kube-system",
                        "-o",
                        "jsonpath={.status.readyReplicas}")
                    .stdout()
                    .equals("2"));
    kubectl.run("expose", "pod", "httpbin", "--port=80", "--name=named");
    String domain = kubectl.namespace() + ".svc.cluster.local";
    assertThat(kubectl.exec("curl", "cat", "/etc/resolv.conf"))
        .isEqualTo(
            "search "
                + domain
                + " svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n");
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> kubectl.tryRun("exec", "curl", "--", "nslookup", "named").exitCode() == 0);

    String ip = kubectl.run("get", "service", "named", "-o", "jsonpath={.spec.clusterIP}");
    assertThat(kubectl.exec("curl", "nslookup", "named"))
        .contains("Name:\tnamed." + domain + "\nAddress: " + ip + "\n");
    for (String name : List.of("named", "named." + kubectl.namespace(), "named." + domain)) {
      assertThat(kubectl.exec("curl", "curl", "-sS", "http://" + name + "/get"))
          .contains("\"Host\": \"" + name + "\"");
    }
    assertThat(kubectl.tryRun("exec", "curl", "--", "curl", "-sS", "http://nobody/").stderr())
        .contains("curl: (6) Could not resolve host: nobody");
    kubectl.run("delete", "service", "named");
  }

  // A day's work.

  @Test
  void authSaysWhatOneMay() {
    assertThat(kubectl.run("auth", "can-i", "create", "deployments")).isEqualTo("yes\n");
    assertThat(kubectl.run("auth", "can-i", "--list")).contains("*.*");
    if (!version.equals("1.20")) { // it has no whoami yet
      assertThat(kubectl.run("auth", "whoami"))
          .contains("Username", "system:unsecured", "system:masters");
    }
  }

  @Test
  void runAttachesToThePodThatItMakes() {
    String printed =
        kubectl.runWithInput(
            "echo one\necho $((1 + 1))\nexit 0\n",
            "run",
            "shell",
            "--rm",
            "-i",
            "--quiet",
            "--restart=Never",
            "--image=busybox",
            "--",
            "sh");
    assertThat(printed).contains("one\n2\n");
    assertNotFound(kubectl.tryRun("get", "pod", "shell"), "pods", "shell");
  }

  @Test
  void topTellsWhatNodesAndPodsUse() {
    kubectl.run("run", "spinner", "--image=busybox", "--", "sh", "-c", "while true; do :; done");
    kubectl.run("wait", "--for=condition=Ready", "pod/spinner", "--timeout=45s");
    // What is younger than the last reading has no rate yet.
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> kubectl.tryRun("top", "pod", "spinner").exitCode() == 0);
    assertThat(kubectl.run("top", "pod", "spinner", "--containers"))
        .containsPattern("(?m)^spinner +spinner +[1-9]\\d*m ");
    assertThat(kubectl.run("top", "nodes"))
        .containsPattern("NAME +CPU\\(cores\\)")
        .containsPattern("(?m)^node-1 +[1-9]\\d*m +\\d+% +[1-9]\\d*Mi +\\d+%")
        .containsPattern("(?m)^node-2 ");
    kubectl.run("delete", "pod", "spinner", "--grace-period=1");
  }

  @Test
  void debugLooksIntoAPodThatRuns() {
    if (version.equals("1.20")) {
      return; // it speaks of a kind EphemeralContainers, which servers have no more since 1.22
    }
    kubectl.run("run", "watched", "--image=nginx", "--port=80");
    kubectl.run("wait", "--for=condition=Ready", "pod/watched", "--timeout=45s");
    String printed =
        kubectl.runWithInput(
            "ps\nwget -qO- http://127.0.0.1/ | head -1\nexit\n",
            "debug",
            "watched",
            "-i",
            "--quiet",
            "--image=busybox",
            "--target=watched",
            "-c",
            "debugger");
    assertThat(printed).containsPattern("1 root +0:00 nginx").contains("<!DOCTYPE html>");
    assertThat(kubectl.run("describe", "pod", "watched"))
        .containsPattern("(?s)Ephemeral Containers:\\s+debugger:\\s+Container ID: +containerd://");
    assertThat(kubectl.tryRun("debug", "watched", "--image=busybox", "--target=nobody").stderr())
        .contains("targetContainerName: Not found: \"nobody\"");
    kubectl.run("delete", "pod", "watched", "--grace-period=1");
  }

  @Test
  void debugGivesAShellOnANode() {
    String printed =
        kubectl.runWithInput(
            "hostname\ntc filter show dev eth0 ingress\nexit\n",
            "debug",
            "node/node-1",
            "-i",
            "--quiet",
            "--image=busybox");
    assertThat(printed).contains("node-1\n").contains("bpf_netdev_eth0.o");
    String[] over = {"pods", "--field-selector=status.phase=Succeeded", "-o", "name"};
    await()
        .atMost(TestCluster.LIMIT)
        .until(() -> kubectl.run("get", over[0], over[1], over[2], over[3]).contains("node-debug"));
    kubectl.run("delete", over[0], over[1]);
  }

  @Test
  void attachFollowsWhatTheMainProcessPrints() throws IOException {
    kubectl.run(
        "run",
        "ticker",
        "--image=busybox",
        "--",
        "sh",
        "-c",
        "while true; do echo tick; sleep 0.1; done");
    kubectl.run("wait", "--for=condition=Ready", "pod/ticker", "--timeout=45s");
    assertThat(kubectl.tryRun("attach", "ticker", "-c", "nobody").stderr()).contains("nobody");
    try (Kubectl.Follow attached = kubectl.follow("attach", "ticker")) {
      await().atMost(TestCluster.LIMIT).until(() -> attached.output().contains("tick\ntick\n"));
    }
    kubectl.run("delete", "pod", "ticker", "--grace-period=1");
  }

  @Test
  void execEndsWithTheCommandsExitCode() {
    Kubectl.Result result = kubectl.tryRun("exec", "curl", "--", "sh", "-c", "echo here; exit 7");

    assertThat(result.exitCode()).isEqualTo(7);
    assertThat(result.stdout()).isEqualTo("here\n");
    assertThat(result.stderr()).contains("command terminated with exit code 7");
  }

  @Test
  void execHandsItsInputToTheCommandAndEndsWithIt() {
    String input = "a line of input\n".repeat(5_000);

    assertThat(kubectl.runWithInput(input, "exec", "-i", "curl", "--", "cat")).isEqualTo(input);
  }

  @Test
  void logsPrintsWhatTheContainerWroteAndTailItsEnd() {
    List<String> all = kubectl.run("logs", "httpbin").lines().toList();

    assertThat(all).anyMatch(line -> line.contains("Listening at: http://0.0.0.0:80"));
    assertThat(kubectl.run("logs", "httpbin", "--tail=2").lines())
        .containsExactlyElementsOf(all.subList(all.size() - 2, all.size()));
  }

  @Test
  void twoConnectionsThroughOnePortForwardAreOpenAtOnce() throws IOException {
    try (var forward = kubectl.forward("pod/httpbin", 80);
        var first = connect(forward);
        var second = connect(forward)) {
      ask(first, "/get?n=first");
      ask(second, "/get?n=second");

      assertThat(answer(second)).startsWith("HTTP/1.1 200 OK\r\n").contains("\"n\": \"second\"");
      assertThat(answer(first)).startsWith("HTTP/1.1 200 OK\r\n").contains("\"n\": \"first\"");
    }
  }

  private static Socket connect(Kubectl.Forward forward) throws IOException {
    Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), forward.port());
    socket.setSoTimeout((int) TestCluster.LIMIT.toMillis());
    return socket;
  }

  private static void ask(Socket socket, String path) throws IOException {
    String request = "GET " + path + " HTTP/1.1\r\nHost: httpbin\r\nConnection: close\r\n\r\n";
    socket.getOutputStream().write(request.getBytes(UTF_8));
  }

  private static String answer(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), UTF_8);
  }

  @Test
  void cpBringsAFileThereAndBack() throws IOException {
    byte[] bytes = new byte[100_000];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31 >> 3);
    }
    Path there = Files.write(kubectl.home().resolve("there.bin"), bytes);
    Path back = kubectl.home().resolve("back.bin");

    kubectl.run("cp", there.toString(), "curl:/tmp/copied.bin");
    assertThat(kubectl.exec("curl", "wc", "-c", "/tmp/copied.bin")).contains("" + bytes.length);
    kubectl.run("cp", "curl:/tmp/copied.bin", back.toString());

    assertThat(back).hasBinaryContent(bytes);
  }

  @Test
  void aDaemonSetAndAStatefulSetReturnToTheTemplateOfBefore() {
    for (String kind : List.of("DaemonSet", "StatefulSet")) {
      String name = "turning-" + kind.toLowerCase(Locale.ROOT);
      String set = kind.toLowerCase(Locale.ROOT) + "/" + name;
      kubectl.runWithInput(
          """
          apiVersion: apps/v1
          kind: %s
          metadata: {name: %s, annotations: {kubernetes.io/change-cause: at first}}
          spec:
            %s
            selector: {matchLabels: {app: %s}}
            template:
              metadata: {labels: {app: %s}}
              spec: {containers: [{name: web, image: "nginx:1"}]}
          """
              .formatted(
                  kind,
                  name,
                  // Old servers' schemas require it.
                  kind.equals("StatefulSet") ? "serviceName: " + name : "",
                  name,
                  name),
          "apply",
          "-f",
          "-");
      kubectl.run("set", "image", set, "web=nginx:2");
      kubectl.run("rollout", "status", set, "--timeout=45s");
      assertThat(kubectl.run("rollout", "history", set))
          .containsPattern("REVISION +CHANGE-CAUSE\n1 +at first\n2 +at first\n");
      assertThat(kubectl.run("rollout", "history", set, "--revision=1")).contains("nginx:1");

      assertThat(kubectl.run("rollout", "undo", set)).contains("rolled back");
      kubectl.run("rollout", "status", set, "--timeout=45s");
      assertThat(kubectl.run("rollout", "history", set))
          .containsPattern("REVISION +CHANGE-CAUSE\n2 +at first\n3 +at first\n");
      assertThat(
              kubectl.run(
                  "get", "po", "-l", "app=" + name, "-o", "jsonpath={.items[*].spec..image}"))
          .contains("nginx:1")
          .doesNotContain("nginx:2");
      kubectl.run("delete", set, "--wait=false");
    }
  }

  @Test
  void aDeploymentIsExposedScaledAndReachedThroughItsService() {
    assertThat(kubectl.run("create", "deployment", "web", "--image=nginx"))
        .isEqualTo("deployment.apps/web created\n");
    assertThat(kubectl.run("expose", "deployment", "web", "--port=80"))
        .isEqualTo("service/web exposed\n");
    assertThat(kubectl.run("scale", "deployment", "web", "--replicas=3"))
        .isEqualTo("deployment.apps/web scaled\n");
    assertThat(kubectl.run("rollout", "status", "deployment/web", "--timeout=45s"))
        .endsWith("deployment \"web\" successfully rolled out\n");

    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () ->
                assertThat(endpoints())
                    .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(
                                kubectl
                                    .run(
                                        "get",
                                        "po",
                                        "-l",
                                        "app=web",
                                        "-o",
                                        "jsonpath={.items[*].status.podIP}")
                                    .split(" ", -1))
                            .map(address -> address + ":80")
                            .toList())
                    .hasSize(3));
    String all = kubectl.run("get", "deploy,rs,svc,endpoints");
    assertThat(all)
        .containsPattern("NAME +READY +UP-TO-DATE +AVAILABLE +AGE\n")
        .containsPattern("deployment\\.apps/web +3/3 +3 +3 +\\d+\\w+\n")
        .containsPattern("NAME +DESIRED +CURRENT +READY +AGE\n")
        .containsPattern("replicaset\\.apps/web-[a-z0-9]+ +3 +3 +3 +\\d+\\w+\n")
        .containsPattern("NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\\(S\\) +AGE\n")
        .containsPattern("NAME +ENDPOINTS +AGE\n")
        .containsPattern("endpoints/web +\\S+:80,\\S+:80,\\S+:80 +\\d+\\w+\n");
    String clusterIp = group(all, "service/web +ClusterIP +([0-9.]+) +<none> +80/TCP +\\d+\\w+\n");
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(() -> assertThat(statusOf("http://" + clusterIp + "/")).isEqualTo("200"));
  }

  private static List<String> endpoints() {
    return List.of(table(kubectl.run("get", "endpoints", "web")).getLast().get(1).split(",", -1));
  }

  @Test
  void trafficFollowsThePoliciesThatAreAppliedAndDeleted() {
    String url = "http://" + address("httpbin") + "/get";
    assertThat(statusOf(url)).isEqualTo("200");
    try {
      assertThat(kubectl.runWithInput(DENY, "apply", "-f", "-"))
          .isEqualTo("networkpolicy.networking.k8s.io/deny created\n");
      await().atMost(TestCluster.LIMIT).until(() -> statusOf(url).equals("000"));

      assertThat(kubectl.runWithInput(ALLOW, "apply", "-f", "-"))
          .isEqualTo("networkpolicy.networking.k8s.io/allow created\n");
      await().atMost(TestCluster.LIMIT).until(() -> statusOf(url).equals("200"));
      assertThat(table(kubectl.run("get", "netpol")))
          .extracting(List::getFirst)
          .containsExactly("NAME", "allow", "deny");

      kubectl.run("delete", "netpol", "allow");
      await().atMost(TestCluster.LIMIT).until(() -> statusOf(url).equals("000"));
    } finally {
      kubectl.run("delete", "netpol", "--all");
    }
    await().atMost(TestCluster.LIMIT).until(() -> statusOf(url).equals("200"));
  }

  /** The HTTP status that the pod curl sees; {@code 000} if its packets go unanswered. */
  private static String statusOf(String url) {
    Kubectl.Result result =
        kubectl.tryRun(
            "exec",
            "curl",
            "--",
            "curl",
            "-s",
            "-m",
            "1",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            url);
    assertThat(result.exitCode()).as(result.toString()).isIn(0, 28);
    return result.stdout();
  }

  @Test
  void explainPrintsTheFieldsOfAContainer() {
    assertThat(kubectl.run("explain", "pod.spec.containers"))
        .containsPattern("KIND: +Pod\nVERSION: +v1\n")
        .containsPattern("containers <\\[]\\w+>")
        .containsPattern("\n +args\t<\\[]string>")
        .containsPattern("\n +image\t<string>")
        .containsPattern("\n +name\t<string> -required-")
        .containsPattern("\n +ports\t<\\[]\\w+>")
        .containsPattern("DESCRIPTION:\n +The containers; at least one\\.")
        .containsPattern("\n +What runs instead of the image's ENTRYPOINT\\.");
    assertThat(kubectl.run("explain", "deployment.spec.strategy"))
        .containsPattern("DESCRIPTION:\n +How old pods are replaced by new ones\\.");
    assertThat(kubectl.run("explain", "cnp.spec.ingressDeny"))
        .containsPattern("\n +What they may not receive, whatever another rule allows\\.");
  }

  @Test
  void apiResourcesListsWhatItServes() {
    String resources = kubectl.run("api-resources");

    assertThat(resources)
        .containsPattern("^NAME +SHORTNAMES +API\\w+ +NAMESPACED +KIND\n")
        .containsPattern("\npods +po +v1 +true +Pod\n")
        .containsPattern("\nnodes +no +v1 +false +Node\n")
        .containsPattern("\ndeployments +deploy +apps/v1 +true +Deployment\n")
        .containsPattern("\nnetworkpolicies +netpol +networking\\.k8s\\.io/v1 +true +NetworkPolicy")
        .containsPattern("\nciliumnetworkpolicies +\\S+ +cilium\\.io/v2 +true +CiliumNetworkPolicy")
        .containsPattern("\nciliumnodes +\\S+ +cilium\\.io/v2 +false +CiliumNode\n");
  }

  @Test
  void describeTellsWhereThePodRunsAndWhatHappenedToIt() {
    await()
        .atMost(TestCluster.LIMIT)
        .untilAsserted(
            () ->
                assertThat(kubectl.run("describe", "pod", "httpbin"))
                    .containsPattern("(?m)^Name: +httpbin$")
                    .containsPattern("(?m)^Namespace: +" + kubectl.namespace() + "$")
                    .containsPattern("(?m)^Node: +node-2/[0-9.]+$")
                    .containsPattern("(?m)^Labels: +app=httpbin$")
                    .containsPattern("(?m)^Status: +Running$")
                    .containsPattern("(?m)^IP: +" + address("httpbin") + "$")
                    .containsPattern("(?m)^ +Image: +kennethreitz/httpbin$")
                    .containsPattern("(?m)^ +Port: +80/TCP$")
                    .containsPattern("(?m)^ +Ready +True")
                    .containsPattern("(?m)^ +Normal +Started +\\S+ +kubelet +.*container httpbin"));
  }

  @Test
  void aDeletedPodIsGoneWhenDeleteEnds() {
    kubectl.run("run", "short", "--image=curlimages/curl", "--command", "--", "sleep", "365d");
    kubectl.run("wait", "--for=condition=Ready", "pod/short", "--timeout=45s");

    assertThat(kubectl.run("delete", "pod", "short")).startsWith("pod \"short\" deleted");

    assertNotFound(kubectl.tryRun("get", "po", "short"), "pods", "short");
  }

  private static void assertNotFound(Kubectl.Result result, String resource, String name) {
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.stdout()).isEmpty();
    assertThat(result.stderr())
        .isEqualTo("Error from server (NotFound): " + resource + " \"" + name + "\" not found\n");
  }

  /** A device as {@code ip link} prints it: its index, and the index of its peer. */
  private record Link(int index, String name, int peer, String mac) {}

  private static final Pattern LINK =
      Pattern.compile("(?m)^(\\d+): ([^:@\\s]+)@if(\\d+):.*\\n +link/ether ([0-9a-f:]{17})");

  private static List<Link> links(String ipLink) {
    return LINK.matcher(ipLink)
        .results()
        .map(
            link ->
                new Link(
                    Integer.parseInt(link.group(1)),
                    link.group(2),
                    Integer.parseInt(link.group(3)),
                    link.group(4)))
        .toList();
  }

  private static Link podSide(String pod) {
    List<Link> links = links(kubectl.exec(pod, "ip", "link", "show", "eth0"));
    assertThat(links).hasSize(1);
    return links.getFirst();
  }

  /** The node's end of a pod's veth pair. */
  private static Link lxc(String node, String pod) {
    int index = podSide(pod).peer();
    return links(onNode(node, "ip", "link")).stream()
        .filter(link -> link.index() == index)
        .findFirst()
        .orElseThrow(() -> new AssertionError("no link " + index + " on " + node));
  }

  /** Runs a command in the node's agent, found as the article finds it. */
  private static String onNode(String node, String... command) {
    String agent =
        kubectl.run(
            "get",
            "po",
            "-n",
            "kube-system",
            "-l",
            "k8s-app=cilium",
            "--field-selector",
            "spec.nodeName=" + node,
            "-o",
            "jsonpath={.items[0].metadata.name}");
    assertThat(agent).startsWith("cilium-");
    String[] all = new String[command.length + 7];
    List<String> exec = List.of("exec", "-n", "kube-system", agent, "-c", "cilium-agent", "--");
    exec.toArray(all);
    System.arraycopy(command, 0, all, exec.size(), command.length);
    return kubectl.run(all);
  }

  private static String address(String pod) {
    return kubectl.run("get", "po", pod, "-o", "jsonpath={.status.podIP}");
  }

  /** What kubectl's columns hold, headings first. */
  private static List<List<String>> table(String text) {
    return text.lines().map(line -> List.of(line.strip().split("\\s{2,}", -1))).toList();
  }

  private static String group(String text, String pattern) {
    return Pattern.compile(pattern, Pattern.MULTILINE)
        .matcher(text)
        .results()
        .findFirst()
        .map((MatchResult match) -> match.group(1))
        .orElseThrow(() -> new AssertionError("no " + pattern + " in\n" + text));
  }

  private static String line(String text, String start) {
    return text.lines()
        .filter(line -> line.startsWith(start))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no line starts with " + start + " in\n" + text));
  }
}
