package dev.paramecium.deploy.experiment;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.EphemeralCluster;
import dev.paramecium.deploy.cluster.LocalCluster;
import dev.paramecium.deploy.cluster.Topology;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/** A cluster that only an experiment uses; nothing is left of it when it is closed. */
interface ExperimentCluster extends AutoCloseable {

  ApiHttp api();

  @Override
  void close();

  /** A JVM for the control plane, and one for each node: a fault of a process is kill -9. */
  static ExperimentCluster ofProcesses(ExperimentFile file, Consumer<String> progress)
      throws InterruptedException {
    Path home;
    try {
      home = Files.createTempDirectory("paramecium-experiment");
    } catch (IOException e) {
      throw new UncheckedIOException("no place for a cluster's state", e);
    }
    Processes cluster = new Processes(home);
    Runtime.getRuntime().addShutdownHook(cluster.atExit);
    try {
      cluster.start(file, progress);
    } catch (RuntimeException | InterruptedException e) {
      cluster.close();
      throw e;
    }
    return cluster;
  }

  /** An actor system for each, all in this JVM: a fault of a process ends an actor system. */
  static ExperimentCluster inThisProcess(ExperimentFile file) {
    EphemeralCluster cluster = EphemeralCluster.startApart(file.nodes(), file.options());
    return new ExperimentCluster() {

      @Override
      public ApiHttp api() {
        return cluster.api();
      }

      @Override
      public void close() {
        cluster.close();
      }
    };
  }

  /** JVMs, with a cluster file in a folder of their own. */
  final class Processes implements ExperimentCluster {

    private final Path home;
    private final Thread atExit;
    private String apiServer = "";

    private Processes(Path home) {
      this.home = home;
      this.atExit = new Thread(() -> LocalCluster.kill(home), "experiment cleanup");
    }

    private void start(ExperimentFile file, Consumer<String> progress) throws InterruptedException {
      Ipv4Address block = LocalCluster.freeLoopbackBlock(file.nodes());
      Topology plain = Topology.of(file.nodes(), block.plus(1), LocalCluster.freePort());
      LocalCluster cluster =
          LocalCluster.start(
              home,
              new Topology(
                  plain.clusterName(),
                  plain.apiAddress(),
                  plain.apiPort(),
                  file.options(),
                  plain.nodes(),
                  1,
                  null),
              block.toString(),
              progress);
      cluster.awaitReady(progress);
      apiServer = cluster.apiServer();
    }

    @Override
    public ApiHttp api() {
      return new ApiHttp(apiServer);
    }

    @Override
    public void close() {
      LocalCluster.kill(home);
      Runtime.getRuntime().removeShutdownHook(atExit);
    }
  }
}
