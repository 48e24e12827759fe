package dev.paramecium.deploy.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.Resources;
import dev.paramecium.deploy.cluster.ApiSecurity;
import dev.paramecium.deploy.cluster.ClusterFile;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;

/**
 * A cluster of real JVMs on loopback addresses of its own, with the command's own client to drive
 * it.
 */
final class TestCluster implements AutoCloseable {

  static final Duration LIMIT = Duration.ofSeconds(45);

  /** The two pods of the packet walk, one on each node. */
  static final String WALK_PODS =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: curl, labels: {app: curl}}
      spec:
        nodeName: node-1
        containers:
        - {name: curl, image: curlimages/curl, command: [sleep, 365d]}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: httpbin, labels: {app: httpbin}}
      spec:
        nodeName: node-2
        containers:
        - {name: httpbin, image: kennethreitz/httpbin, ports: [{containerPort: 80}]}
      """;

  final Path home;
  final LocalCluster cluster;
  final ApiHttp api;
  final Ipv4Address block;

  private TestCluster(Path home, LocalCluster cluster, Ipv4Address block) {
    this.home = home;
    this.cluster = cluster;
    this.api = ApiSecurity.client(cluster.apiServer(), home);
    this.block = block;
  }

  /** What a command printed and how it ended. */
  record Output(int exitCode, String stdout, String stderr) {}

  /** Starts and waits until every node is Ready. */
  static TestCluster start(int nodes) {
    Ipv4Address block = LocalCluster.freeLoopbackBlock(nodes);
    return start(Topology.of(nodes, block.plus(1), LocalCluster.freePort()), block);
  }

  static TestCluster start(Topology topology, Ipv4Address block) {
    return start(topology, ApiSecurity.NONE, block);
  }

  /** Starts a cluster whose API server wants to know who asks. */
  static TestCluster start(int nodes, ApiSecurity security) {
    Ipv4Address block = LocalCluster.freeLoopbackBlock(nodes);
    return start(Topology.of(nodes, block.plus(1), LocalCluster.freePort()), security, block);
  }

  private static TestCluster start(Topology topology, ApiSecurity security, Ipv4Address block) {
    try {
      Path home = Files.createTempDirectory("paramecium-e2e");
      LocalCluster cluster =
          LocalCluster.start(home, topology, security, block.toString(), _ -> {});
      TestCluster started = new TestCluster(home, cluster, block);
      try {
        cluster.awaitReady(_ -> {});
      } catch (RuntimeException e) {
        started.close();
        throw e;
      }
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Applies a manifest to the default namespace. */
  void apply(String manifest) {
    Resources resources = Resources.discover(api);
    for (ObjectNode object : Manifests.parse("the test's manifest", manifest)) {
      ObjectNode metadata = object.withObject("/metadata");
      Resources.Resource resource =
          resources.of(object.path("apiVersion").asText(), object.path("kind").asText());
      String namespace = metadata.path("namespace").asText("default");
      if (resource.namespaced()) {
        metadata.put("namespace", namespace);
      }
      api.post(resource.path(namespace), object);
    }
  }

  Pods.Pod awaitReady(String pod) throws InterruptedException {
    return Pods.awaitReady(api, "default", pod, LIMIT);
  }

  /** Applies the walk's pods and waits until every node's maps know them. */
  void applyWalkPods() throws InterruptedException {
    apply(WALK_PODS);
    awaitReady("curl");
    awaitReady("httpbin");
    Pods.awaitSynced(api, cluster.topology().nodes().size(), LIMIT);
  }

  /** Runs a command in a pod of the default namespace. */
  Output exec(String pod, String... command) {
    return run("/api/v1/namespaces/default/pods/" + pod + "/exec", command);
  }

  /** Runs a command in a pod, in its first container. */
  Output exec(Pods.Pod pod, String... command) {
    return run(pod.execPath(), command);
  }

  /** Runs a command on a node. */
  Output host(String node, String... command) {
    return run("/apis/paramecium.dev/v1alpha1/nodes/" + node + "/exec", command);
  }

  /** Runs a command on a host outside the cluster. */
  Output world(String host, String... command) {
    return run(ApiHttp.worldPath(host) + "/exec", command);
  }

  private Output run(String path, String... command) {
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    int exitCode = ExecSession.run(api, path + query(List.of(command)), null, stdout, stderr);
    return new Output(exitCode, stdout.toString(UTF_8), stderr.toString(UTF_8));
  }

  private static String query(List<String> command) {
    StringBuilder query = new StringBuilder("?stdout=true&stderr=true");
    for (String word : command) {
      query.append("&command=").append(URLEncoder.encode(word, UTF_8));
    }
    return query.toString();
  }

  /** A container's log. */
  String log(String pod) {
    try (var log = api.stream("/api/v1/namespaces/default/pods/" + pod + "/log")) {
      return new String(log.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A node's counters. */
  JsonNode counters(String node) {
    for (JsonNode status : api.get("/apis/paramecium.dev/v1alpha1/status").path("nodes")) {
      if (status.path("name").asText().equals(node)) {
        return status.path("counters");
      }
    }
    throw new AssertionError("no status from " + node);
  }

  /** The process of {@code name}: {@code control-plane} or a node. */
  ProcessHandle process(String name) {
    return ClusterFile.read(home).orElseThrow().processes().stream()
        .filter(process -> process.runs(name))
        .findFirst()
        .flatMap(ClusterFile.Process::handle)
        .orElseThrow(() -> new AssertionError(name + " does not run"));
  }

  /** {@code kill -9}, and waits until the process is gone. */
  void kill(String name) {
    ProcessHandle process = process(name);
    process.destroyForcibly();
    process.onExit().join();
  }

  @Override
  public void close() {
    LocalCluster.kill(home);
    try (var tree = Files.walk(home)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
