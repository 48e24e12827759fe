package dev.paramecium.conformance;

import java.nio.file.Path;
import java.util.List;

/**
 * What came of one vector or sequence.
 *
 * @param differences empty if it passes; of a sequence those of the first step that differs
 */
public record Result(Path file, String name, List<Difference> differences) {

  public Result {
    differences = List.copyOf(differences);
  }

  public boolean passes() {
    return differences.isEmpty();
  }
}
