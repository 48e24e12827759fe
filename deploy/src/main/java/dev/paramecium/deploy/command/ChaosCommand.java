package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.paramecium.defect.Defect;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.experiment.ExperimentFile;
import dev.paramecium.deploy.experiment.ExperimentSeries;
import dev.paramecium.deploy.experiment.Shrinking;
import dev.paramecium.deploy.experiment.TimelinePage;
import dev.paramecium.deploy.experiment.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Failure experiments. */
@Command(
    name = "chaos",
    mixinStandardHelpOptions = true,
    description = "Failure experiments with a verdict; faults alone are objects: kubectl apply.",
    subcommands = ChaosCommand.Run.class)
final class ChaosCommand implements Callable<Integer> {

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec != null) {
      spec.commandLine().usage(spec.commandLine().getOut());
    }
    return CommandLine.ExitCode.USAGE;
  }

  /** Experiments, each with one seed or with many. */
  @Command(
      name = "run",
      mixinStandardHelpOptions = true,
      description =
          "Runs experiments, each in a cluster of its own, and judges what was recorded. Exit code"
              + " 0 if every invariant held, 1 if not.")
  static final class Run implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "of kind ChaosExperiment")
    private List<String> files = List.of();

    @Option(
        names = "--seed",
        paramLabel = "N",
        description = "what is drawn follows from it; default: another each time")
    private @Nullable Long seed;

    @Option(
        names = "--seeds",
        paramLabel = "N",
        description = "so many seeds, one after the other, from --seed or 1 on; in one cluster")
    private @Nullable Integer seeds;

    @Option(names = "--short", description = "as the experiment's field short says")
    private boolean brief;

    @Option(
        names = "--in-process",
        description =
            "the cluster's members are actor systems of this JVM instead of JVMs: sooner there, and"
                + " nothing can be paused")
    private boolean inProcess;

    @Option(
        names = "--defect",
        paramLabel = "NAME",
        description =
            "break the product on purpose, once for each seed, to see that the invariants notice:"
                + " skip-resync, lose-write or pass-denied; needs --in-process")
    private @Nullable String defect;

    @Option(names = "--junit", paramLabel = "FILE", description = "where to write a report for CI")
    private @Nullable Path junit;

    @Option(
        names = "--html",
        paramLabel = "FILE",
        description = "where to write a page with a timeline of each run")
    private @Nullable Path html;

    @Option(
        names = "--shrink",
        paramLabel = "RUNS",
        defaultValue = "0",
        description =
            "after the first failure of a file: run it up to so often again, with fewer faults and"
                + " shorter, and say what is left that fails in the same way")
    private int shrink;

    @Mixin private final JsonOption format = new JsonOption();

    @Override
    public Integer call() throws InterruptedException, JsonProcessingException {
      if (seeds != null && seeds < 1) {
        throw new UserError(UserError.USAGE, "--seeds is " + seeds + ": use 1 or more.");
      }
      Defect broken = broken();
      long first = first();
      int count = seeds == null ? 1 : seeds;
      // A file that is wrong is said before the first cluster is started.
      files.forEach(file -> ExperimentFile.read(file, first, brief));
      List<Verdict> verdicts = new ArrayList<>();
      Consumer<String> progress = count == 1 ? System.err::println : _ -> {};
      for (String file : files) {
        try (ExperimentSeries series = new ExperimentSeries(inProcess, progress)) {
          for (long next = first; next < first + count; next++) {
            Verdict verdict = series.run(ExperimentFile.read(file, next, brief), next, broken);
            verdicts.add(verdict);
            if (!verdict.holds() && shrink > 0) {
              shrink(ExperimentFile.read(file, next, brief), next, broken, verdict);
            }
            if (!format.wanted()) {
              System.out.print(count == 1 || !verdict.holds() ? verdict.text() : verdict.line());
            }
          }
        }
      }
      if (format.wanted()) {
        System.out.println(json(verdicts));
      }
      if (junit != null) {
        write(junit, Verdict.junit(verdicts));
      }
      if (html != null) {
        write(html, TimelinePage.of(verdicts));
      }
      return verdicts.stream().allMatch(Verdict::holds) ? 0 : UserError.FAILED;
    }

    /** Each trial has a cluster of its own: what failed before may have left something behind. */
    private void shrink(ExperimentFile file, long next, @Nullable Defect broken, Verdict verdict)
        throws InterruptedException {
      ExperimentFile smallest =
          Shrinking.shrink(
              file,
              candidate -> {
                try (ExperimentSeries trial = new ExperimentSeries(inProcess, _ -> {})) {
                  return trial
                      .run(candidate, next, broken)
                      .violated()
                      .containsAll(verdict.violated());
                }
              },
              shrink);
      shrink = 0;
      System.err.println("the shortest that fails in the same way: " + smallest.summary());
    }

    private @Nullable Defect broken() {
      if (defect == null) {
        return null;
      }
      if (!inProcess) {
        throw new UserError(
            UserError.USAGE, "--defect breaks this JVM alone: use it with --in-process.");
      }
      return Arrays.stream(Defect.values())
          .filter(one -> one.word().equals(defect))
          .findFirst()
          .orElseThrow(
              () ->
                  new UserError(
                      UserError.USAGE,
                      "--defect is \""
                          + defect
                          + "\": use skip-resync, lose-write or pass-denied."));
    }

    private long first() {
      if (seed != null) {
        return seed;
      }
      return seeds == null ? new SecureRandom().nextInt(Integer.MAX_VALUE) : 1;
    }

    /** One verdict by itself, several in a list. */
    private static String json(List<Verdict> verdicts) throws JsonProcessingException {
      ArrayNode list = ApiHttp.JSON.createArrayNode();
      verdicts.forEach(verdict -> list.add(verdict.json()));
      return ApiHttp.JSON
          .writerWithDefaultPrettyPrinter()
          .writeValueAsString(list.size() == 1 ? list.get(0) : list);
    }

    private static void write(Path path, String text) {
      try {
        Files.writeString(path, text);
      } catch (IOException e) {
        throw new UserError(UserError.FAILED, "cannot write " + path + ": " + e.getMessage() + ".");
      }
    }
  }
}
