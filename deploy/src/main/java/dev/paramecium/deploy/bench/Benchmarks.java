package dev.paramecium.deploy.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** Runs benchmarks by their names, with one test bed for all that need one. */
public final class Benchmarks {

  /** What there is, in the order in which {@code all} runs it. */
  public enum Name {
    UDP,
    RTT,
    TCP,
    PROGRAMS,
    OBSERVERS,
    API,
    POLICY,
    SCALE;

    private boolean needsTestbed() {
      return switch (this) {
        case UDP, RTT, TCP, OBSERVERS -> true;
        case PROGRAMS, API, POLICY, SCALE -> false;
      };
    }

    /** Whether {@code all} runs it: the packets' way, not what decides about it. */
    public boolean isOfAll() {
      return this != API && this != POLICY && this != SCALE;
    }
  }

  /** So that a round of a program takes a small part of what a round of a path takes. */
  private static final int PROGRAM_PACKETS_PER_MS = 200;

  private static final int API_PODS = 5000;

  private Benchmarks() {}

  /**
   * Runs some; each row is given as soon as it is there.
   *
   * @param directory for the cluster's state and the reference program; the caller deletes it
   */
  public static void run(
      List<Name> names,
      PathBenchmark.Effort effort,
      PolicyBenchmark.Size policySize,
      ScaleBenchmark.Size scaleSize,
      Path directory,
      Consumer<String> progress,
      Consumer<Row> rows) {
    if (names.contains(Name.PROGRAMS)) {
      ProgramRows.measure(effort.rounds(), effort.durationMs() * PROGRAM_PACKETS_PER_MS, rows);
    }
    if (names.contains(Name.API)) {
      try (ApiBenchmark api = new ApiBenchmark(directory.resolve("api"), API_PODS, progress)) {
        api.measure(rows);
      }
    }
    if (names.contains(Name.POLICY)) {
      PolicyRows.measure(policySize, rows);
    }
    if (names.contains(Name.SCALE)) {
      Path home = directory.resolve("scale");
      try (ScaleBenchmark scale = new ScaleBenchmark(home, scaleSize, progress)) {
        scale.measure(rows);
      }
    }
    if (names.stream().noneMatch(Name::needsTestbed)) {
      return;
    }
    ReferenceProgram reference = ReferenceProgram.compile(directory);
    try (Testbed testbed = new Testbed(directory.resolve("cluster"), progress)) {
      PathBenchmark paths = new PathBenchmark(testbed, reference, effort);
      for (Name name : names) {
        switch (name) {
          case UDP -> paths.udp(rows);
          case RTT -> paths.rtt(rows);
          case TCP -> paths.tcp(rows);
          case OBSERVERS -> paths.observers(rows);
          case PROGRAMS, API, POLICY, SCALE -> {}
        }
      }
    }
  }
}
