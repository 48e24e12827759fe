package dev.paramecium.policy.rule;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@code CiliumNetworkPolicy} or {@code CiliumClusterwideNetworkPolicy} as the agent's rules
 * (Cilium {@code pkg/k8s/apis/cilium.io}): a namespaced one is held to its namespace, on both ends
 * unless it says another for its peers.
 */
public final class CiliumPolicy {

  public static final String NAMESPACED = "CiliumNetworkPolicy";
  public static final String CLUSTERWIDE = "CiliumClusterwideNetworkPolicy";

  private static final String POD_NAMESPACE = Label.K8S + "." + KubernetesPolicy.POD_NAMESPACE;
  private static final String ANY_POD_NAMESPACE = Label.ANY + "." + KubernetesPolicy.POD_NAMESPACE;
  private static final String INIT = Label.RESERVED + ".init";

  private CiliumPolicy() {}

  /**
   * The rules of {@code spec} and {@code specs}.
   *
   * @throws InvalidRuleException if the agent refuses one of them
   */
  public static List<PolicyRule> rules(KubeObject object) {
    String kind = object.kind();
    String namespace = kind.equals(CLUSTERWIDE) ? "" : object.namespace();
    PolicyName name = new PolicyName(kind, namespace, object.name(), object.uid());
    JsonNode spec = object.json().path("spec");
    JsonNode specs = object.json().path("specs");
    if (!spec.isObject() && !specs.isArray()) {
      throw new InvalidRuleException("Invalid " + kind + " spec(s): empty policy");
    }
    List<PolicyRule> rules = new ArrayList<>();
    if (spec.isObject()) {
      rules.add(rule(spec, name, "spec"));
    }
    for (int i = 0; i < specs.size(); i++) {
      rules.add(rule(specs.get(i), name, "specs[" + i + "]"));
    }
    return rules;
  }

  /**
   * The rules of a list as {@code cilium policy import} takes it: no namespace is added, and field
   * names may be written in any case.
   *
   * @param name of the import, with an empty kind
   * @throws InvalidRuleException if the agent refuses one of them
   */
  public static List<PolicyRule> imported(JsonNode list, PolicyName name) {
    List<PolicyRule> rules = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      rules.add(
          RuleValidation.sanitize(
              RuleReader.read(FieldNames.asDeclared(list.get(i)), name, "[" + i + "]")));
    }
    return rules;
  }

  private static PolicyRule rule(JsonNode json, PolicyName policy, String spec) {
    try {
      PolicyRule rule = RuleValidation.sanitize(RuleReader.read(json, policy, spec));
      if (rule.nodeSelector() != null && !policy.kind().equals(CLUSTERWIDE)) {
        throw new InvalidRuleException("rule cannot have NodeSelector");
      }
      return scoped(rule);
    } catch (InvalidRuleException e) {
      throw new InvalidRuleException(
          "Invalid "
              + policy.kind()
              + " "
              + (spec.equals("spec") ? "spec" : "specs")
              + ": "
              + e.getMessage());
    }
  }

  private static PolicyRule scoped(PolicyRule rule) {
    String namespace = rule.policy().namespace();
    EndpointSelector subject = rule.endpointSelector();
    boolean init = subject != null && subject.hasKey(INIT);
    if (subject != null && !init && !namespace.isEmpty()) {
      subject = subject.withLabel(POD_NAMESPACE, namespace);
    }
    List<Label> labels = new ArrayList<>(rule.policy().labels());
    labels.addAll(rule.labels());
    return new PolicyRule(
        rule.policy(),
        rule.spec(),
        subject,
        rule.nodeSelector(),
        scoped(rule.ingress(), namespace, init),
        scoped(rule.ingressDeny(), namespace, init),
        scoped(rule.egress(), namespace, init),
        scoped(rule.egressDeny(), namespace, init),
        labels,
        rule.description());
  }

  private static List<TrafficRule> scoped(
      List<TrafficRule> section, String namespace, boolean init) {
    List<TrafficRule> scoped = new ArrayList<>(section.size());
    for (TrafficRule rule : section) {
      Peers peers = rule.peers();
      scoped.add(
          rule.withPeers(
              peers.withEndpoints(
                  peers.endpoints().stream()
                      .map(
                          peer ->
                              peer.hasKeyPrefix(Label.RESERVED + ".")
                                  ? peer
                                  : scoped(peer, namespace, init))
                      .toList(),
                  peers.requires().stream().map(peer -> scoped(peer, namespace, init)).toList())));
    }
    return scoped;
  }

  private static EndpointSelector scoped(EndpointSelector peer, String namespace, boolean init) {
    if (init || peer.hasKey(POD_NAMESPACE) || peer.hasKey(ANY_POD_NAMESPACE)) {
      return peer;
    }
    return namespace.isEmpty()
        ? peer.with(List.of(new Requirement(POD_NAMESPACE, Requirement.Operator.EXISTS, List.of())))
        : peer.withLabel(POD_NAMESPACE, namespace);
  }
}
