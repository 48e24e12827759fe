package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.client.Pods;
import dev.paramecium.deploy.client.TraceStream;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.syscall.TraceFilter;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * What is measured: a cluster of its own, a control plane and two nodes, each a JVM as {@code up}
 * starts it, and a pod on each node.
 */
public final class Testbed implements AutoCloseable {

  private static final String CLIENT_NODE = "node-1";
  private static final Duration LIMIT = Duration.ofSeconds(45);

  private final Path home;
  private final Thread cleanup;
  private final ApiHttp api;
  final LoadEnd client;
  final LoadEnd server;

  /**
   * Starts it.
   *
   * @param home of the cluster; thrown away by the caller
   */
  public Testbed(Path home, Consumer<String> progress) {
    this.home = home;
    this.cleanup = new Thread(() -> LocalCluster.kill(home), "bench cleanup");
    Runtime.getRuntime().addShutdownHook(cleanup);
    Ipv4Address block = LocalCluster.freeLoopbackBlock(2);
    Topology topology = Topology.of(2, block.plus(1), LocalCluster.freePort());
    LocalCluster cluster = LocalCluster.start(home, topology, block.toString(), progress);
    api = new ApiHttp(cluster.apiServer());
    try {
      cluster.awaitReady(progress);
      for (ObjectNode pod :
          Manifests.parse(
              "the benchmark's manifest",
              pod("client", CLIENT_NODE) + "---\n" + pod("server", "node-2"))) {
        api.post("/api/v1/namespaces/default/pods", pod);
      }
      this.client = new PodEnd(api, Pods.awaitReady(api, "default", "client", LIMIT));
      this.server = new PodEnd(api, Pods.awaitReady(api, "default", "server", LIMIT));
      Pods.awaitSynced(api, topology.nodes().size(), LIMIT);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Who may look at packets on the client's node. */
  enum Observer {
    TRACE("a trace of another flow is armed"),
    CAPTURE_OTHER("tcpdump on eth0, another flow's filter"),
    CAPTURE("tcpdump on eth0, every packet printed"),
    MONITOR("cilium monitor");

    private final String title;

    Observer(String title) {
      this.title = title;
    }

    /** What it is called in a table. */
    String title() {
      return title;
    }
  }

  /** An address that no pod has (RFC 5737). */
  private static final Ipv4Address NOBODY = Ipv4Address.parse("192.0.2.1");

  /** Lets somebody look until what is answered is closed. */
  AutoCloseable observe(Observer observer) {
    return switch (observer) {
      case TRACE -> TraceStream.open(api, new TraceFilter(NOBODY, NOBODY, IpProtocol.UDP, 0, 0));
      case CAPTURE_OTHER -> onNode("tcpdump", "-ni", "eth0", "host", NOBODY.toString());
      case CAPTURE -> onNode("tcpdump", "-ni", "eth0");
      case MONITOR -> onNode("cilium", "monitor");
    };
  }

  private AutoCloseable onNode(String... command) {
    return ExecSession.start(
        api,
        "/apis/paramecium.dev/v1alpha1/nodes/"
            + CLIENT_NODE
            + "/exec"
            + ExecSession.query(List.of(command), "", false, false),
        null,
        OutputStream.nullOutputStream(),
        OutputStream.nullOutputStream());
  }

  private static String pod(String name, String node) {
    return """
    apiVersion: v1
    kind: Pod
    metadata: {name: %s, namespace: default}
    spec:
      nodeName: %s
      containers:
      - {name: main, image: busybox, command: [sleep, 365d]}
    """
        .formatted(name, node);
  }

  @Override
  public void close() {
    LocalCluster.kill(home);
    Runtime.getRuntime().removeShutdownHook(cleanup);
  }
}
