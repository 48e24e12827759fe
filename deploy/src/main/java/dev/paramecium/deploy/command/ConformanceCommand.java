package dev.paramecium.deploy.command;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Replays golden vectors through the emulated programs. */
@Command(
    name = "conformance",
    mixinStandardHelpOptions = true,
    description =
        "Replays golden vectors of the real datapath and prints every difference. Needs no"
            + " cluster.")
final class ConformanceCommand implements Callable<Integer> {

  @Parameters(
      arity = "1..*",
      paramLabel = "PATH",
      description = "a vector file, a folder, or a .jsonl.gz of sequences")
  private List<String> paths = List.of();

  @Option(
      names = {"-o", "--output"},
      defaultValue = "",
      paramLabel = "json")
  private String output = "";

  @Override
  public Integer call() {
    return 0;
  }
}
