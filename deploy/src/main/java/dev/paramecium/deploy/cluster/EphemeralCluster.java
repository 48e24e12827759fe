package dev.paramecium.deploy.cluster;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;

/**
 * A cluster inside this JVM, for as long as it is needed: one actor system for the control plane,
 * one for the nodes, with sockets on loopback addresses that nobody else has. Its objects are gone
 * with it.
 */
public final class EphemeralCluster implements AutoCloseable {

  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  private static final int ATTEMPTS = 3;

  private final Path stateDir;
  private final Ipv4Address block;
  private final ApiHttp api;
  private final ActorSystems members = new ActorSystems();
  private final Thread atExit = new Thread(this::deleteState, "ephemeral cluster cleanup");

  private EphemeralCluster(Path stateDir, Ipv4Address block, String apiServer) {
    this.stateDir = stateDir;
    this.block = block;
    this.api = new ApiHttp(apiServer);
  }

  /**
   * Starts it and waits until every node is Ready.
   *
   * @throws UserError if it does not get there
   */
  public static EphemeralCluster start(int nodes, Topology.Options options) {
    return start(nodes, options, false);
  }

  /**
   * The same with an actor system for each node, which faults of nodes and of the control plane end
   * and start again.
   *
   * @throws UserError if it does not get there
   */
  public static EphemeralCluster startApart(int nodes, Topology.Options options) {
    return start(nodes, options, true);
  }

  private static EphemeralCluster start(int nodes, Topology.Options options, boolean apart) {
    quiet("PARAMECIUM_LOG");
    quiet("PARAMECIUM_PEKKO_LOG");
    for (int attempt = 1; ; attempt++) {
      try {
        return tryToStart(nodes, options, apart);
      } catch (UserError e) {
        // Another process may have taken the API server's port between the look at it and its use.
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** Says nothing of the cluster's own life in its host's output, unless somebody wants it. */
  private static void quiet(String level) {
    if (System.getenv(level) == null && System.getProperty(level) == null) {
      System.setProperty(level, "ERROR");
    }
  }

  private static EphemeralCluster tryToStart(int nodes, Topology.Options options, boolean apart) {
    Ipv4Address block = LocalCluster.freeLoopbackBlock(nodes);
    int port = LocalCluster.freePort();
    Topology topology = Topology.of(nodes, block.plus(1), port);
    Path stateDir;
    try {
      stateDir = Files.createTempDirectory("paramecium-ephemeral");
    } catch (IOException e) {
      throw new UncheckedIOException("no place for a cluster's state", e);
    }
    EphemeralCluster cluster =
        new EphemeralCluster(stateDir, block, "http://" + topology.apiAddress() + ":" + port);
    Runtime.getRuntime().addShutdownHook(cluster.atExit);
    try {
      cluster.launch(topology, block, options, apart);
      cluster.awaitReady(nodes);
    } catch (RuntimeException e) {
      cluster.close();
      throw e;
    }
    return cluster;
  }

  private void launch(
      Topology topology, Ipv4Address block, Topology.Options options, boolean apart) {
    List<CompletableFuture<Void>> starting = new ArrayList<>();
    ControlPlaneProcess controlPlane =
        new ControlPlaneProcess(
            block,
            Ipv4Address.parse(topology.apiAddress()),
            topology.apiPort(),
            ApiSecurity.NONE,
            stateDir,
            stateDir,
            apart ? members : new LocalMachine(stateDir),
            topology.clusterName(),
            options);
    starting.add(members.add(ClusterMember.CONTROL_PLANE, controlPlane::start));
    for (List<Topology.Node> nodes :
        apart ? topology.nodes().stream().map(List::of).toList() : List.of(topology.nodes())) {
      NodeProcess process =
          new NodeProcess(
              nodes,
              List.of(block + ":" + LocalCluster.CLUSTER_PORT),
              topology.clusterName(),
              options);
      starting.add(members.add(nodes.getFirst().name(), process::start));
    }
    RuntimeException failure = null;
    for (CompletableFuture<Void> member : starting) {
      try {
        member.join();
      } catch (CompletionException e) {
        failure =
            e.getCause() instanceof RuntimeException cause
                ? cause
                : new IllegalStateException(e.getCause());
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private void awaitReady(int nodes) {
    Waiting.until(
        START_LIMIT,
        () -> api.isReady() && api.readyNodes() >= nodes,
        () -> "the cluster in this process was not ready after " + START_LIMIT.toSeconds() + " s.");
  }

  /** A client of its API server. */
  public ApiHttp api() {
    return api;
  }

  /** Ends it; its state is deleted. */
  @Override
  public void close() {
    members.close();
    LocalCluster.releaseLoopbackBlock(block);
    deleteState();
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException _) {
      // The JVM is going down, and the hook has run or will.
    }
  }

  private void deleteState() {
    if (!Files.exists(stateDir)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(stateDir)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | UncheckedIOException _) {
      // A temporary folder: what cannot be deleted now, the system deletes later.
    }
  }
}
