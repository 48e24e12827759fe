package dev.paramecium.deploy.experiment;

import dev.paramecium.defect.Defect;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.verify.World;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One experiment with several seeds, one after the other in one cluster, whose setup and flows are
 * made once. After a seed that failed the next has a cluster of its own.
 *
 * <pre>
 *   cluster, setup --&gt; seed 1: workload, faults, verdict --&gt; seed 2: ... --&gt; close
 * </pre>
 */
public final class ExperimentSeries implements AutoCloseable {

  private static final Duration SETTLE = Duration.ofSeconds(90);

  private final boolean inThisProcess;
  private final Consumer<String> progress;
  private @Nullable ExperimentCluster cluster;
  private History last = new History();

  /**
   * @param inThisProcess whether the cluster's members are actor systems of this JVM, which is
   *     sooner there, or JVMs
   */
  public ExperimentSeries(boolean inThisProcess, Consumer<String> progress) {
    this.inThisProcess = inThisProcess;
    this.progress = progress;
  }

  /**
   * Runs it with what its seed drew.
   *
   * @param file the same experiment each time, read with another seed
   * @throws UserError if the cluster cannot be started
   */
  public Verdict run(ExperimentFile file, long seed) throws InterruptedException {
    return run(file, seed, null);
  }

  /**
   * The same with a product that is broken on purpose, once, as soon as the workload runs.
   *
   * @param defect strikes in this JVM; null for none
   * @throws UserError if the cluster cannot be started
   */
  public Verdict run(ExperimentFile file, long seed, @Nullable Defect defect)
      throws InterruptedException {
    ApiHttp api = cluster(file).api();
    ExperimentRun run = new ExperimentRun(file, seed, last, defect, progress);
    Verdict verdict = run.observe(api);
    last = run.history();
    if (!verdict.holds()) {
      close();
    }
    return verdict;
  }

  private ExperimentCluster cluster(ExperimentFile file) throws InterruptedException {
    if (cluster == null) {
      ExperimentCluster started =
          inThisProcess
              ? ExperimentCluster.inThisProcess(file)
              : ExperimentCluster.ofProcesses(file, progress);
      cluster = started;
      World world = new World(started.api());
      file.setup().forEach(object -> world.apply(object.deepCopy()));
      world.settle(SETTLE);
    }
    return cluster;
  }

  /** Ends the cluster, if there is one. */
  @Override
  public void close() {
    if (cluster != null) {
      cluster.close();
      cluster = null;
    }
    last = new History();
  }
}
