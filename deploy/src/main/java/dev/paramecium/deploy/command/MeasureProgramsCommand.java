package dev.paramecium.deploy.command;

import dev.paramecium.deploy.bench.ProgramRows;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The programs' cost in this JVM, for {@code bench programs}, which starts it. */
@Command(
    name = ProgramRows.COMMAND,
    hidden = true,
    mixinStandardHelpOptions = true,
    description = "Measures the programs in this JVM.")
final class MeasureProgramsCommand implements Callable<Integer> {

  @Parameters(index = "0", paramLabel = "ROUNDS")
  private int rounds;

  @Parameters(index = "1", paramLabel = "PACKETS")
  private int packets;

  @Override
  public Integer call() {
    ProgramRows.print(rounds, packets);
    return 0;
  }
}
