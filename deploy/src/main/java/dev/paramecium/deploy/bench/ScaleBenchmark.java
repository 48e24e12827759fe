package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.cluster.Topology;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * What a cluster of many nodes takes: time to come up, memory, and how fast all nodes hear of a
 * pod, an identity, a policy. Nodes are asked over the API server's status; how often they can be
 * asked bounds how exact a propagation time is, and the asking is part of the load.
 */
public final class ScaleBenchmark implements AutoCloseable {

  /**
   * How large the cluster is.
   *
   * @param pods over all nodes, at most {@link #PODS_A_NODE} on each
   */
  public record Size(int nodes, int pods) {

    public static final Size DEFAULT = new Size(200, 4000);
  }

  /** Below what a kubelet takes, and room for one more. */
  public static final int PODS_A_NODE = 100;

  private static final String PODS = "/api/v1/namespaces/default/pods";
  private static final String POLICIES =
      "/apis/cilium.io/v2/namespaces/default/ciliumnetworkpolicies";
  private static final String IPCACHE = "entries.cilium_ipcache";

  /** kwok's own figure of pods created a second, in its documentation. */
  private static final double KWOK = 20;

  private static final double PODS_A_SECOND = 200;

  /** What a cilium-agent was seen to take for each pod of its cluster, KiB. */
  private static final double CILIUM_KIB = 10.5;

  private static final double KIB_A_REMOTE_POD = 2;

  /** Until a policy was on 1,000 agents, ms. */
  private static final double CILIUM_POLICY_MS = 2000;

  /** What an identity may take to all nodes, ms, and what a node may hold of its own, MiB. */
  private static final double IDENTITY_MS = 500;

  private static final double NODE_MIB = 64;

  /** What the JVMs may take before the first node, s. */
  private static final double START_SECONDS = 30;

  private static final int ROUNDS = 10;
  private static final int PINGED = 20;
  private static final int FIRST_IDENTITY = 60_000;
  private static final Duration POD_LIMIT = Duration.ofMinutes(5);
  private static final double KIB = 1024;
  private static final double MIB = KIB * KIB;

  private final Size size;
  private final ScaleCluster cluster;
  private final Consumer<String> progress;

  ScaleBenchmark(Path home, Size size, Consumer<String> progress) {
    this.size = size;
    this.progress = progress;
    this.cluster = new ScaleCluster(home, size.nodes(), progress);
  }

  void measure(Consumer<Row> rows) {
    int jvms = cluster.topology.jvms().size();
    rows.accept(
        new Row(
            "nodes up and converged",
            "s",
            cluster.secondsToConverge,
            "30 s and one a node",
            START_SECONDS + size.nodes(),
            cluster.secondsToConverge / (START_SECONDS + size.nodes()),
            1.0,
            true,
            String.format(
                Locale.ROOT,
                "%d nodes in %d JVMs, each with all others in its maps; %.1f s of CPU",
                size.nodes(),
                jvms,
                cluster.cpuSeconds())));
    int last = jvms - 1;
    int nodesOfLast = cluster.topology.jvms().get(last).size();
    long idle = cluster.liveBytes(last);
    double nodeMib = idle / MIB / nodesOfLast;
    rows.accept(
        new Row(
            "live heap of an idle node",
            "MiB",
            nodeMib,
            "its part of the limit",
            NODE_MIB,
            nodeMib / NODE_MIB,
            1.0,
            true,
            "one JVM's live objects by its " + nodesOfLast + " nodes"));
    int first = size.pods() / 4;
    List<Topology.Node> here = cluster.topology.jvms().getFirst();
    create("first-", first, n -> here.get(n % here.size()).name());
    if (jvms > 1) {
      rows.accept(remotePod(cluster.liveBytes(last) - idle, first, nodesOfLast));
    } else {
      progress.accept("bytes of a remote pod need a second JVM of nodes: not measured");
    }
    rows.accept(created(size.pods() - first));
    ping();
    propagated(
        "an identity",
        "/apis/cilium.io/v2/ciliumidentities",
        "CiliumIdentity",
        ScaleBenchmark::identity,
        "the aim, ms",
        IDENTITY_MS,
        rows);
    rows.accept(firstPolicy());
    propagated(
        "a policy",
        POLICIES,
        "CiliumNetworkPolicy",
        ScaleBenchmark::policy,
        "Cilium, 1,000 agents",
        CILIUM_POLICY_MS,
        rows);
  }

  private static Row remotePod(long bytes, int pods, int nodes) {
    double kib = bytes / KIB / pods / nodes;
    return new Row(
        "live heap of a remote pod on a node",
        "KiB",
        kib,
        "Cilium, KiB a pod, agent",
        CILIUM_KIB,
        kib / CILIUM_KIB,
        KIB_A_REMOTE_POD / CILIUM_KIB,
        true,
        String.format(
            Locale.ROOT,
            "%.1f MiB more in a JVM of %d nodes that runs none of the %d pods",
            bytes / MIB,
            nodes,
            pods));
  }

  // ---- pods

  private Row created(int pods) {
    double cpu = cluster.cpuSeconds();
    double seconds = create("pod-", pods, _ -> "");
    double cpuMs = (cluster.cpuSeconds() - cpu) * 1e3;
    double rate = pods / seconds;
    return new Row(
        "pods created and reachable",
        "pods/s",
        rate,
        "kwok, pods/s created",
        KWOK,
        rate / KWOK,
        PODS_A_SECOND / KWOK,
        false,
        String.format(
            Locale.ROOT,
            "%d pods scheduled, running, and in the ipcache of all %d nodes in %.1f s; %.1f ms of"
                + " CPU each",
            pods,
            size.nodes(),
            seconds,
            cpuMs / pods));
  }

  /** Creates pods; how many seconds it took until every node can reach each of them. */
  private double create(String prefix, int pods, IntFunction<String> node) {
    long known = ScaleCluster.counter(cluster.status().path(0), IPCACHE);
    long endpoints = endpoints();
    long start = System.nanoTime();
    ManyRequests.post(cluster.api, PODS, pods, n -> pod(prefix + n, node.apply(n), "pause"));
    progress.accept(
        String.format(
            Locale.ROOT, "%d pods created in %.1f s", pods, (System.nanoTime() - start) / 1e9));
    cluster.await(
        status ->
            ScaleCluster.counter(status, IPCACHE) >= known + pods && ScaleCluster.settled(status));
    while (endpoints() < endpoints + pods) {
      Thread.onSpinWait();
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private long endpoints() {
    long ready = 0;
    for (JsonNode node : cluster.status()) {
      ready += ScaleCluster.counter(node, "endpoints.ready");
    }
    return ready;
  }

  private static ObjectNode pod(String name, String node, String image) {
    ObjectNode pod = ApiHttp.JSON.createObjectNode().put("apiVersion", "v1").put("kind", "Pod");
    pod.putObject("metadata").put("name", name).putObject("labels").put("app", "scale");
    ObjectNode spec = pod.putObject("spec");
    if (!node.isEmpty()) {
      spec.put("nodeName", node);
    }
    ObjectNode container = spec.putArray("containers").addObject();
    container.put("name", "main").put("image", image);
    return pod;
  }

  /** That "reachable" is true: a pod pings some of them, by real packets. */
  private void ping() {
    ObjectNode pinger = pod("pinger", cluster.topology.nodes().getFirst().name(), "busybox");
    ((ObjectNode) pinger.at("/spec/containers/0")).putArray("command").add("sleep").add("365d");
    cluster.api.post(PODS, pinger);
    Pods.Pod from = Pods.awaitReady(cluster.api, "default", "pinger", POD_LIMIT);
    Pods.awaitSynced(cluster.api, size.nodes(), POD_LIMIT);
    int pods = size.pods() - size.pods() / 4;
    int step = Math.max(1, pods / PINGED);
    for (int n = 0; n < pods; n += step) {
      Pods.Pod to = Pods.awaitReady(cluster.api, "default", "pod-" + n, POD_LIMIT);
      ByteArrayOutputStream output = new ByteArrayOutputStream();
      String command = "?stdout=true&stderr=true&command=ping&command=-c&command=1&command=";
      int exitCode =
          ExecSession.run(
              cluster.api,
              from.execPath() + command + to.address(),
              null,
              output,
              OutputStream.nullOutputStream());
      if (exitCode != 0) {
        throw new IllegalStateException(
            to + " was not reached: " + output.toString(StandardCharsets.UTF_8));
      }
    }
    progress.accept("pinged " + (pods + step - 1) / step + " of the pods, all answered");
  }

  // ---- identities and policies

  /** From the write until a node's policy maps reflect it. */
  private void propagated(
      String what,
      String path,
      String kind,
      IntFunction<ObjectNode> object,
      String comparedWith,
      double referenceMs,
      Consumer<Row> rows) {
    double[] ms = new double[ROUNDS * size.nodes()];
    double[] asking = new double[ROUNDS];
    int at = 0;
    for (int round = 0; round < ROUNDS; round++) {
      long asked = System.nanoTime();
      cluster.status();
      asking[round] = (System.nanoTime() - asked) / 1e6;
      for (double each : propagate(path, kind, object.apply(round))) {
        ms[at++] = each;
      }
    }
    Arrays.sort(ms);
    Arrays.sort(asking);
    String note =
        String.format(
            Locale.ROOT,
            "%d of them to %d nodes; asking all nodes takes %.0f ms",
            ROUNDS,
            size.nodes(),
            asking[ROUNDS / 2]);
    for (int percent : new int[] {50, 99}) {
      double figure = ms[(ms.length * percent + 99) / 100 - 1];
      rows.accept(
          new Row(
              what + " on every node, p" + percent,
              "ms",
              figure,
              comparedWith,
              referenceMs,
              figure / referenceMs,
              1.0,
              true,
              note));
    }
  }

  /** Writes an object; for each node, milliseconds from the write until it reflects it. */
  private double[] propagate(String path, String kind, ObjectNode object) {
    long start = System.nanoTime();
    JsonNode stored = cluster.api.post(path, object);
    long revision = stored.at("/metadata/resourceVersion").asLong();
    Map<String, Long> held =
        cluster.await(node -> ScaleCluster.counter(node, "enforced." + kind) >= revision);
    return held.values().stream().mapToDouble(nanos -> (nanos - start) / 1e6).toArray();
  }

  /** With the first policy about it a pod begins to be closed, and its CiliumEndpoint says so. */
  private Row firstPolicy() {
    double ms =
        Arrays.stream(propagate(POLICIES, "CiliumNetworkPolicy", policy(ROUNDS))).max().orElse(0);
    return new Row(
        "the first policy, on all nodes",
        "ms",
        ms,
        "Cilium, 1,000 agents",
        CILIUM_POLICY_MS,
        ms / CILIUM_POLICY_MS,
        null,
        true,
        "it closes all " + size.pods() + " pods, whose CiliumEndpoints are written anew");
  }

  private static ObjectNode identity(int number) {
    ObjectNode identity = ApiHttp.JSON.createObjectNode();
    identity.put("apiVersion", "cilium.io/v2").put("kind", "CiliumIdentity");
    identity.putObject("metadata").put("name", Integer.toString(FIRST_IDENTITY + number));
    identity
        .putObject("security-labels")
        .put("k8s:app", "scale-" + number)
        .put("k8s:io.kubernetes.pod.namespace", "default");
    return identity;
  }

  /** About all pods of the benchmark; allows what was allowed. */
  private static ObjectNode policy(int number) {
    ObjectNode policy = ApiHttp.JSON.createObjectNode();
    policy.put("apiVersion", "cilium.io/v2").put("kind", "CiliumNetworkPolicy");
    policy.putObject("metadata").put("name", "scale-" + number).put("namespace", "default");
    ObjectNode spec = policy.putObject("spec");
    spec.putObject("endpointSelector").putObject("matchLabels").put("app", "scale");
    ObjectNode rule = spec.putArray("ingress").addObject();
    rule.putArray("fromEntities").add("all");
    rule.putArray("toPorts")
        .addObject()
        .putArray("ports")
        .addObject()
        .put("port", Integer.toString(8000 + number))
        .put("protocol", "TCP");
    return policy;
  }

  @Override
  public void close() {
    cluster.close();
  }
}
