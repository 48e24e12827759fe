package dev.paramecium.conformance;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Replays vector files.
 *
 * <p>A file {@code *.json} holds one vector; {@code *.jsonl.gz} one sequence a line, with the nodes
 * in {@code nodes.json} beside it; a folder stands for all of both below it. Compared are verdict,
 * redirect, tunnel key, packet, mark, events (all but hash and source line), metrics, and what
 * conntrack, fragment, affinity and policy maps hold afterwards.
 */
public final class Conformance {

  /** How many passed of how many. */
  public record Summary(int passed, int total) {

    public boolean allPassed() {
      return passed == total;
    }
  }

  private Conformance() {}

  /**
   * Replays everything at the paths, in their order, files of a folder by name.
   *
   * @param each hears every result as it comes
   * @throws MalformedVectorException if a path is none, or a file is no vector; the message names
   *     file and field
   */
  public static Summary run(List<Path> paths, Consumer<Result> each)
      throws MalformedVectorException {
    return run(paths, Replay::new, each);
  }

  /** Prepares the node of a vector. */
  @FunctionalInterface
  interface ReplayFactory {
    Replay create(Vector vector) throws MalformedVectorException;
  }

  /** The same of what a factory's replays judge. */
  static Summary run(List<Path> paths, ReplayFactory replays, Consumer<Result> each)
      throws MalformedVectorException {
    int[] passedAndTotal = new int[2];
    for (Path path : paths) {
      for (Path file : VectorReader.files(path)) {
        VectorReader.read(
            file,
            (source, vector) -> {
              Result result =
                  new Result(source, vector.name(), replay(replays.create(vector), vector));
              passedAndTotal[0] += result.passes() ? 1 : 0;
              passedAndTotal[1]++;
              each.accept(result);
            });
      }
    }
    return new Summary(passedAndTotal[0], passedAndTotal[1]);
  }

  /** All results of a path. */
  public static List<Result> run(Path path) throws MalformedVectorException {
    List<Result> results = new ArrayList<>();
    run(List.of(path), results::add);
    return results;
  }

  private static List<Difference> replay(Replay replay, Vector vector)
      throws MalformedVectorException {
    boolean sequence = vector.steps().size() > 1;
    for (int i = 0; i < vector.steps().size(); i++) {
      List<Difference> differences = replay.run(vector.steps().get(i));
      if (!differences.isEmpty()) {
        String place = sequence ? "step " + (i + 1) + ": " : "";
        return differences.stream().map(difference -> difference.within(place)).toList();
      }
    }
    return List.of();
  }
}
