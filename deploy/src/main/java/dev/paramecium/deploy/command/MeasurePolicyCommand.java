package dev.paramecium.deploy.command;

import dev.paramecium.deploy.bench.PolicyBenchmark;
import dev.paramecium.deploy.bench.PolicyRows;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Policies in a cluster within this JVM, for {@code bench policy}, which starts it. */
@Command(
    name = PolicyRows.COMMAND,
    hidden = true,
    mixinStandardHelpOptions = true,
    description = "Measures how long policies take to all nodes, in this JVM.")
final class MeasurePolicyCommand implements Callable<Integer> {

  @Parameters(index = "0", paramLabel = "NODES")
  private int nodes;

  @Parameters(index = "1", paramLabel = "PODS")
  private int pods;

  @Parameters(index = "2", paramLabel = "POLICIES")
  private int policies;

  @Override
  public Integer call() {
    try (PolicyBenchmark benchmark =
        new PolicyBenchmark(new PolicyBenchmark.Size(nodes, pods, policies))) {
      benchmark.print();
    }
    return 0;
  }
}
