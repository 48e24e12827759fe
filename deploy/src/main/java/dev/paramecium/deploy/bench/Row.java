package dev.paramecium.deploy.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.client.ApiHttp;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One figure with what it is compared with.
 *
 * @param what is measured
 * @param figure in {@code unit}
 * @param reference in {@code unit}, of {@code comparedWith}
 * @param ratio figure to reference
 * @param target what the ratio must not pass, null for a figure that is only stated
 * @param less whether less is better
 * @param note what else was seen, or empty
 */
public record Row(
    String what,
    String unit,
    double figure,
    String comparedWith,
    double reference,
    double ratio,
    @Nullable Double target,
    boolean less,
    String note) {

  /** Whether the ratio is on the right side of its target. */
  public boolean reached() {
    return target == null || (less ? ratio <= target : ratio >= target);
  }

  /** As a line for people. */
  public String line() {
    String compared =
        String.format(
            Locale.ROOT,
            "%-46s %10.1f %-12s %-26s %10.1f   ratio %6.2f",
            what,
            figure,
            unit,
            comparedWith,
            reference,
            ratio);
    return compared + judgement() + (note.isEmpty() ? "" : "  (" + note + ")");
  }

  private String judgement() {
    return target == null
        ? ""
        : String.format(
            Locale.ROOT,
            "   target %s %.2f  %s",
            less ? "<=" : ">=",
            target,
            reached() ? "reached" : "MISSED");
  }

  /** As an object of {@code -o json}. */
  public ObjectNode json() {
    return ApiHttp.JSON
        .createObjectNode()
        .put("what", what)
        .put("unit", unit)
        .put("figure", figure)
        .put("comparedWith", comparedWith)
        .put("reference", reference)
        .put("ratio", ratio)
        .put("target", target)
        .put("lessIsBetter", less)
        .put("reached", reached())
        .put("note", note);
  }
}
