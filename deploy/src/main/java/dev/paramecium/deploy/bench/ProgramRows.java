package dev.paramecium.deploy.bench;

import dev.paramecium.benchmark.ProgramBenchmark;
import dev.paramecium.deploy.cluster.JavaCommand;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The programs' own cost beside what v1.12.3's cost, JIT compiled, on this kind of machine. They
 * run in a JVM of their own: this command's compiles with C1 only, to start fast.
 */
public final class ProgramRows {

  /** The hidden command that measures in its own JVM. */
  public static final String COMMAND = "measure-programs";

  /**
   * What a real program takes and what ours may.
   *
   * @param limitNanos 0 for none
   */
  private record Reference(double nanos, double limitNanos) {}

  private static final Map<ProgramBenchmark.Case, Reference> REFERENCES =
      Map.of(
          ProgramBenchmark.Case.FROM_CONTAINER, new Reference(749, 375),
          ProgramBenchmark.Case.FROM_CONTAINER_MANY_FLOWS, new Reference(749, 0),
          ProgramBenchmark.Case.FROM_OVERLAY, new Reference(660, 375),
          ProgramBenchmark.Case.FROM_OVERLAY_MANY_FLOWS, new Reference(660, 0),
          ProgramBenchmark.Case.SAME_NODE, new Reference(1180, 600),
          ProgramBenchmark.Case.DENIED_SYN, new Reference(752, 400));

  private ProgramRows() {}

  /** Measures here and prints a line for each case; the other end of {@link #measure}. */
  public static void print(int rounds, int packets) {
    ProgramBenchmark.measureAll(
        rounds,
        packets,
        cost ->
            System.out.printf(
                Locale.ROOT, "%s %.1f %.1f%n", cost.what(), cost.nanos(), cost.bytes()));
  }

  static void measure(int rounds, int packets, Consumer<Row> rows) {
    String output =
        ReferenceProgram.run(
                JavaCommand.ofThisJvm()
                    .of(
                        List.of("-XX:+UseSerialGC"),
                        List.of(COMMAND, Integer.toString(rounds), Integer.toString(packets))))
            .output()
            .join();
    for (String line : output.lines().toList()) {
      String[] words = line.split(" ", -1);
      rows.accept(
          row(
              ProgramBenchmark.Case.valueOf(words[0]),
              Double.parseDouble(words[1]),
              Double.parseDouble(words[2])));
    }
  }

  private static Row row(ProgramBenchmark.Case what, double nanos, double bytes) {
    Reference reference = REFERENCES.getOrDefault(what, new Reference(nanos, 0));
    @Nullable Double target =
        reference.limitNanos() == 0 ? null : reference.limitNanos() / reference.nanos();
    return new Row(
        what.title(),
        "ns/packet",
        nanos,
        "v1.12.3, JIT, one hot flow",
        reference.nanos(),
        nanos / reference.nanos(),
        target,
        true,
        String.format(Locale.ROOT, "%.1f B/packet allocated", bytes));
  }
}
