package dev.paramecium.deploy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.experiment.ExperimentFile;
import dev.paramecium.deploy.experiment.ExperimentRun;
import dev.paramecium.deploy.experiment.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.Callable;
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

  /** One experiment. */
  @Command(
      name = "run",
      mixinStandardHelpOptions = true,
      description =
          "Runs an experiment in a cluster of its own and judges what was recorded. Exit code 0 if"
              + " every invariant held, 1 if not.")
  static final class Run implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "of kind ChaosExperiment")
    private String file = "";

    @Option(
        names = "--seed",
        paramLabel = "N",
        description = "what faults that are drawn follow from; default: another each time")
    private @Nullable Long seed;

    @Option(names = "--junit", paramLabel = "FILE", description = "where to write a report for CI")
    private @Nullable Path junit;

    @Mixin private final JsonOption format = new JsonOption();

    @Override
    public Integer call() throws InterruptedException, JsonProcessingException {
      long drawn = seed == null ? new SecureRandom().nextInt(Integer.MAX_VALUE) : seed;
      ExperimentFile experiment = ExperimentFile.read(file, drawn);
      Verdict verdict = new ExperimentRun(experiment, drawn, System.err::println).run();
      System.out.print(
          format.wanted()
              ? ApiHttp.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(verdict.json())
                  + "\n"
              : verdict.text());
      if (junit != null) {
        try {
          Files.writeString(junit, verdict.junit());
        } catch (IOException e) {
          throw new UserError(
              UserError.FAILED, "cannot write " + junit + ": " + e.getMessage() + ".");
        }
      }
      return verdict.holds() ? 0 : UserError.FAILED;
    }
  }
}
