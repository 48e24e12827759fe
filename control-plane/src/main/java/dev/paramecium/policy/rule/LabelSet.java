package dev.paramecium.policy.rule;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The labels of one identity, ready to be matched by selectors. Immutable. */
public final class LabelSet {

  private final List<Label> labels;
  private final Map<String, String> byExtendedKey = new HashMap<>();
  private final Map<String, String> byKey = new HashMap<>();

  public LabelSet(Collection<Label> labels) {
    this.labels = List.copyOf(new TreeSet<>(labels));
    for (Label label : this.labels) {
      byExtendedKey.put(label.extendedKey(), label.value());
      byKey.putIfAbsent(label.key(), label.value());
    }
  }

  public static LabelSet of(Label... labels) {
    return new LabelSet(List.of(labels));
  }

  /** Of lines such as {@code k8s:app=web}, as {@code cilium identity get} prints them. */
  public static LabelSet parse(Collection<String> lines) {
    return new LabelSet(lines.stream().map(Label::parse).toList());
  }

  /** The value under an extended key, whose source may be {@code any}; null if there is none. */
  public @Nullable String get(String extendedKey) {
    return extendedKey.startsWith(ANY_PREFIX)
        ? byKey.get(extendedKey.substring(ANY_PREFIX.length()))
        : byExtendedKey.get(extendedKey);
  }

  private static final String ANY_PREFIX = Label.ANY + ".";

  public boolean has(Label label) {
    return label.value().equals(byExtendedKey.get(label.extendedKey()));
  }

  /** Sorted. */
  public List<Label> labels() {
    return labels;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof LabelSet set && labels.equals(set.labels);
  }

  @Override
  public int hashCode() {
    return labels.hashCode();
  }

  @Override
  public String toString() {
    return labels.toString();
  }
}
