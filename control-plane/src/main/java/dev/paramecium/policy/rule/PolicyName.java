package dev.paramecium.policy.rule;

import java.util.ArrayList;
import java.util.List;

/**
 * The object that a rule came from.
 *
 * @param kind {@code NetworkPolicy}, {@code CiliumNetworkPolicy}, {@code
 *     CiliumClusterwideNetworkPolicy}; empty for one imported through the agent
 * @param namespace empty if the object has none
 */
public record PolicyName(String kind, String namespace, String name, String uid) {

  private static final String PREFIX = "io.cilium.k8s.policy.";

  /** As the agent labels the rules of the object (Cilium {@code GetPolicyLabels}). */
  public List<Label> labels() {
    List<Label> labels = new ArrayList<>();
    if (!kind.isEmpty()) {
      labels.add(Label.k8s(PREFIX + "derived-from", kind));
      labels.add(Label.k8s(PREFIX + "name", name));
      if (!namespace.isEmpty()) {
        labels.add(Label.k8s(PREFIX + "namespace", namespace));
      }
      labels.add(Label.k8s(PREFIX + "uid", uid));
    }
    return labels;
  }

  /** {@code NetworkPolicy default/allow-web}. */
  @Override
  public String toString() {
    String path = namespace.isEmpty() ? name : namespace + "/" + name;
    return kind.isEmpty() ? path : kind + " " + path;
  }
}
