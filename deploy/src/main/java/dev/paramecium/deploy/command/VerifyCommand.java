package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.cluster.EphemeralCluster;
import dev.paramecium.deploy.cluster.Topology;
import dev.paramecium.deploy.verify.ConnectivityTest;
import dev.paramecium.deploy.verify.JunitXml;
import dev.paramecium.deploy.verify.MatrixPrinter;
import dev.paramecium.deploy.verify.Report;
import dev.paramecium.deploy.verify.ReportJson;
import dev.paramecium.deploy.verify.TestFile;
import dev.paramecium.deploy.verify.Verification;
import dev.paramecium.deploy.walk.WalkPrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs connectivity tests. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description =
        "Runs connectivity tests by real packets and prints who reaches whom; for each pair that is"
            + " not as expected, which rules decided. Exit code 0 if all are, 1 if not.")
final class VerifyCommand implements Callable<Integer> {

  @Mixin private final ClusterOptions cluster = new ClusterOptions();

  @Parameters(
      arity = "1..*",
      paramLabel = "FILE",
      description = "of kind ConnectivityTest, or a folder of such; - for standard input")
  private List<String> files = List.of();

  @Option(
      names = "--junit",
      paramLabel = "FILE",
      description = "where to write a report that CI systems read as JUnit's")
  private @Nullable Path junit;

  @Option(names = "--ephemeral", description = "in a cluster of its own, which ends with the tests")
  private boolean ephemeral;

  @Option(
      names = "--topology",
      paramLabel = "FILE",
      description = "with --ephemeral: a topology (kind: Cluster) whose options to take")
  private @Nullable Path topology;

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description = "with --ephemeral: how many nodes; default 2")
  private @Nullable Integer nodes;

  @Mixin private final JsonOption format = new JsonOption();

  @Override
  public Integer call() throws JsonProcessingException {
    boolean json = format.wanted();
    if (!ephemeral && (topology != null || nodes != null)) {
      throw new UserError(
          UserError.USAGE, "--topology and --nodes say what --ephemeral starts: add it.");
    }
    List<ConnectivityTest> tests =
        files.stream().flatMap(file -> TestFile.read(file).stream()).toList();
    List<Report> reports;
    if (ephemeral) {
      int size = nodes == null ? 2 : nodes;
      Topology.Options options =
          topology == null ? Topology.Options.DEFAULT : Topology.read(topology).options();
      try (EphemeralCluster own = EphemeralCluster.start(size, options)) {
        reports = run(own.api(), tests, json);
      }
    } else {
      reports = run(cluster.api(), tests, json);
    }
    if (json) {
      System.out.println(
          ApiHttp.JSON
              .writerWithDefaultPrettyPrinter()
              .writeValueAsString(ReportJson.write(reports)));
    }
    if (junit != null) {
      write(junit, JunitXml.write(reports));
    }
    return reports.stream().allMatch(Report::passed) ? 0 : UserError.FAILED;
  }

  private static List<Report> run(ApiHttp api, List<ConnectivityTest> tests, boolean json) {
    List<Report> reports = new ArrayList<>();
    MatrixPrinter printer = new MatrixPrinter(System.out, WalkPrinter.coloursWanted());
    if (!json) {
      System.out.println(MatrixPrinter.LEGEND);
    }
    for (ConnectivityTest test : tests) {
      if (!json) {
        System.out.println();
        System.out.println(test.name() + " (" + test.source() + ")");
      }
      reports.add(new Verification(api, progress(printer, json)).run(test));
    }
    if (!json) {
      System.out.println();
      System.out.println(summary(reports));
    }
    return reports;
  }

  private static Verification.Progress progress(MatrixPrinter printer, boolean json) {
    boolean terminal = System.console() != null && System.console().isTerminal();
    return new Verification.Progress() {
      @Override
      public void doing(String what) {
        if (terminal && !json) {
          System.err.print("\r\u001b[K  " + what + " …");
        }
      }

      @Override
      public void done(Report.Step step) {
        if (terminal && !json) {
          System.err.print("\r\u001b[K");
        }
        if (!json) {
          printer.print(step);
        }
      }
    };
  }

  private static String summary(List<Report> reports) {
    long steps = reports.stream().mapToLong(report -> report.steps().size()).sum();
    long pairs = 0;
    long wrong = 0;
    long errors = 0;
    for (Report report : reports) {
      for (Report.Step step : report.steps()) {
        pairs += step.outcomes().size();
        wrong += step.wrong().size();
        errors += step.error().isEmpty() ? 0 : 1;
      }
    }
    return count(reports.size(), "test")
        + ", "
        + count(steps, "step")
        + ", "
        + count(pairs, "pair")
        + ": "
        + (wrong == 0 && errors == 0
            ? "all as expected."
            : wrong
                + " otherwise than expected"
                + (errors == 0
                    ? "."
                    : ", " + count(errors, "step") + " could not be carried out."));
  }

  private static String count(long number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }

  private static void write(Path file, String text) {
    try {
      Path folder = file.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UserError(UserError.FAILED, "cannot write " + file + ": " + e.getMessage() + ".");
    }
  }
}
