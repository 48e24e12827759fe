package dev.paramecium.deploy.verify;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A test as its file says it.
 *
 * @param source the file, for messages
 * @param setup Kubernetes objects, applied before the first step
 * @param cleanup whether what setup and steps create is removed at the end
 */
public record ConnectivityTest(
    String source, String name, List<ObjectNode> setup, List<Step> steps, boolean cleanup) {

  /**
   * Changes, then questions.
   *
   * @param checks without duplicates, in the order of the file
   */
  public record Step(
      String name,
      List<ObjectNode> apply,
      List<Labelling> label,
      List<Target> delete,
      List<Check> checks) {}

  /** An object that exists; {@code namespace} is empty for what has none. */
  public record Target(String kind, String namespace, String name) {
    @Override
    public String toString() {
      return kind + " " + (namespace.isEmpty() ? name : namespace + "/" + name);
    }
  }

  /**
   * New labels of an object.
   *
   * @param labels a null value removes the label
   */
  public record Labelling(Target target, ObjectNode labels) {}
}
