package dev.paramecium.policy.rule;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@code networking.k8s.io/v1 NetworkPolicy} as the agent's rule (Cilium {@code
 * pkg/k8s/network_policy.go}). Each peer becomes a rule of its own with all the ports; {@code
 * endPort} is not a field of v1.12.3, only the first port is opened.
 */
public final class KubernetesPolicy {

  public static final String KIND = "NetworkPolicy";

  static final String POD_NAMESPACE = "io.kubernetes.pod.namespace";
  private static final String NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels.";
  private static final String NAME_ANNOTATION = "io.cilium.name";

  private KubernetesPolicy() {}

  /**
   * The rule that {@code object} stands for.
   *
   * @throws InvalidRuleException if the agent refuses it
   */
  public static PolicyRule rule(KubeObject object) {
    JsonNode spec = object.json().path("spec");
    String namespace = object.namespace().isEmpty() ? "default" : object.namespace();
    PolicyName name = name(object, namespace);
    List<TrafficRule> ingress = section(spec, "ingress", "from", namespace);
    List<TrafficRule> egress = section(spec, "egress", "to", namespace);
    boolean closesIngress = hasType(spec, "Ingress") || !hasType(spec, "Egress");
    if (ingress.isEmpty() && closesIngress) {
      ingress = List.of(new TrafficRule(Peers.NONE, List.of(), List.of()));
    }
    if (egress.isEmpty() && hasType(spec, "Egress")) {
      egress = List.of(new TrafficRule(Peers.NONE, List.of(), List.of()));
    }
    EndpointSelector subject =
        RuleReader.kubernetesSelector(object(spec.path("podSelector")), "spec.podSelector", "")
            .withLabel(Label.K8S + "." + POD_NAMESPACE, namespace);
    return RuleValidation.sanitize(
        new PolicyRule(
            name, "spec", subject, null, ingress, List.of(), egress, List.of(), name.labels(), ""));
  }

  private static PolicyName name(KubeObject object, String namespace) {
    String annotated = object.json().at("/metadata/annotations").path(NAME_ANNOTATION).asText();
    return new PolicyName(
        KIND, namespace, annotated.isEmpty() ? object.name() : annotated, object.uid());
  }

  private static boolean hasType(JsonNode spec, String type) {
    for (JsonNode entry : spec.path("policyTypes")) {
      if (entry.asText().equals(type)) {
        return true;
      }
    }
    return false;
  }

  private static List<TrafficRule> section(
      JsonNode spec, String section, String peersField, String namespace) {
    List<TrafficRule> rules = new ArrayList<>();
    for (int i = 0; i < spec.path(section).size(); i++) {
      JsonNode entry = spec.path(section).get(i);
      List<PortRule> ports = ports(entry.path("ports"));
      JsonNode peers = entry.path(peersField);
      if (peers.isEmpty()) {
        rules.add(
            new TrafficRule(Peers.ofEndpoints(EndpointSelector.WILDCARD), ports, List.of(), i));
      }
      for (int j = 0; j < peers.size(); j++) {
        String path = "spec." + section + "[" + i + "]." + peersField + "[" + j + "]";
        rules.add(new TrafficRule(peer(peers.get(j), namespace, path), ports, List.of(), i));
      }
    }
    return rules;
  }

  private static Peers peer(JsonNode peer, String namespace, String path) {
    Peers peers = Peers.NONE;
    JsonNode block = peer.path("ipBlock");
    if (block.isObject()) {
      List<String> except = new ArrayList<>();
      block.path("except").forEach(entry -> except.add(entry.asText()));
      peers = Peers.ofCidrSet(new CidrRule(block.path("cidr").asText(), except));
    }
    JsonNode pods = peer.path("podSelector");
    JsonNode namespaces = peer.path("namespaceSelector");
    if (namespaces.isObject()) {
      EndpointSelector selector =
          RuleReader.kubernetesSelector(namespaces, path + ".namespaceSelector", NAMESPACE_LABELS);
      if (selector.isWildcard()) {
        selector =
            selector.with(
                List.of(
                    new Requirement(
                        Label.K8S + "." + POD_NAMESPACE, Requirement.Operator.EXISTS, List.of())));
      }
      if (pods.isObject()) {
        EndpointSelector podSelector =
            RuleReader.kubernetesSelector(pods, path + ".podSelector", "");
        for (var label : podSelector.matchLabels().entrySet()) {
          selector = selector.withLabel(label.getKey(), label.getValue());
        }
        selector = selector.with(podSelector.matchExpressions());
      }
      return peers.withEndpoints(List.of(selector), List.of());
    }
    if (pods.isObject()) {
      EndpointSelector selector =
          RuleReader.kubernetesSelector(pods, path + ".podSelector", "")
              .withLabel(Label.K8S + "." + POD_NAMESPACE, namespace);
      return peers.withEndpoints(List.of(selector), List.of());
    }
    return peers;
  }

  private static List<PortRule> ports(JsonNode ports) {
    List<PortRule> rules = new ArrayList<>();
    for (JsonNode port : ports) {
      JsonNode number = port.path("port");
      JsonNode protocol = port.path("protocol");
      rules.add(
          PortRule.of(
              new PortProtocol(
                  number.isMissingNode() || number.isNull() ? "0" : number.asText(),
                  protocol.isTextual() ? protocol.asText() : PortProtocol.TCP)));
    }
    return rules;
  }

  private static JsonNode object(JsonNode json) {
    return json.isObject()
        ? json
        : com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode();
  }
}
