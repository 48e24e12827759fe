package dev.paramecium.policy.rule;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One match expression of a selector.
 *
 * @param key extended: {@code k8s.app}, {@code any.app}
 */
public record Requirement(String key, Operator operator, List<String> values) {

  /** As Kubernetes spells them. */
  public enum Operator {
    IN("In"),
    NOT_IN("NotIn"),
    EXISTS("Exists"),
    DOES_NOT_EXIST("DoesNotExist");

    private final String text;

    Operator(String text) {
      this.text = text;
    }

    public static @Nullable Operator of(String text) {
      for (Operator operator : values()) {
        if (operator.text.equals(text)) {
          return operator;
        }
      }
      return null;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  public Requirement {
    values = List.copyOf(values);
  }

  /** A missing label fulfils {@code NotIn}, as in Kubernetes. */
  public boolean isMetBy(LabelSet labels) {
    String value = labels.get(key);
    return switch (operator) {
      case IN -> value != null && values.contains(value);
      case NOT_IN -> value == null || !values.contains(value);
      case EXISTS -> value != null;
      case DOES_NOT_EXIST -> value == null;
    };
  }

  /** As Go prints a LabelSelectorRequirement. */
  @Override
  public String toString() {
    return "LabelSelectorRequirement{Key:"
        + key
        + ",Operator:"
        + operator
        + ",Values:["
        + String.join(" ", values)
        + "],}";
  }
}
