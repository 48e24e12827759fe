package dev.paramecium.apiserver;

import dev.paramecium.api.KubeObject;
import dev.paramecium.policy.rule.InvalidRuleException;
import java.util.List;
import java.util.function.Consumer;

/**
 * What the API server lets in and the agents will refuse. A real one says nothing of it; a warning
 * changes neither the object nor the answer.
 */
final class AgentRefusals {

  private AgentRefusals() {}

  /**
   * A warning, if there is something to warn of.
   *
   * @param read as an agent reads it
   */
  static List<String> warnings(KubeObject policy, Consumer<KubeObject> read) {
    try {
      read.accept(policy);
      return List.of();
    } catch (InvalidRuleException refusal) {
      return List.of(
          "the agents refuse "
              + policy.name()
              + " and enforce nothing of this version of it: "
              + refusal.getMessage());
    }
  }
}
