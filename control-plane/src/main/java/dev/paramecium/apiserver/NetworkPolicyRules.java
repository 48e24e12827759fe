package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.policy.rule.KubernetesPolicy;
import java.util.List;

/** {@code networking.k8s.io/v1/NetworkPolicy}. */
final class NetworkPolicyRules implements ServedKind.Rules {

  @Override
  public void setDefaults(ObjectNode object) {
    ObjectNode spec = object.withObject("/spec");
    Defaults.object(spec, "podSelector");
    for (String direction : List.of("ingress", "egress")) {
      for (JsonNode rule : spec.path(direction)) {
        Defaults.each(rule, "ports", port -> Defaults.text(port, "protocol", "TCP"));
      }
    }
    if (spec.path("policyTypes").isEmpty()) {
      ArrayNode types = spec.putArray("policyTypes").add("Ingress");
      if (!spec.path("egress").isEmpty()) {
        types.add("Egress");
      }
    }
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    JsonNode spec = object.at("/spec");
    for (String direction : List.of("ingress", "egress")) {
      JsonNode rules = spec.path(direction);
      String peers = direction.equals("ingress") ? "from" : "to";
      for (int i = 0; i < rules.size(); i++) {
        String at = "spec." + direction + "[" + i + "]";
        validatePorts(at + ".ports", rules.get(i).path("ports"), violations);
        validatePeers(at + "." + peers, rules.get(i).path(peers), violations);
      }
    }
    for (int i = 0; i < spec.path("policyTypes").size(); i++) {
      String type = spec.path("policyTypes").get(i).asText();
      if (!List.of("Ingress", "Egress").contains(type)) {
        violations.notSupported("spec.policyTypes[" + i + "]", type, List.of("Egress", "Ingress"));
      }
    }
  }

  @Override
  public List<String> warnings(KubeObject policy) {
    return AgentRefusals.warnings(policy, KubernetesPolicy::rule);
  }

  private static void validatePorts(String at, JsonNode ports, Violations violations) {
    for (int i = 0; i < ports.size(); i++) {
      JsonNode port = ports.get(i);
      violations.protocol(at + "[" + i + "].protocol", port.path("protocol").asText());
      if (port.path("port").isNumber()) {
        violations.port(at + "[" + i + "].port", port.path("port"));
      }
      if (!Defaults.lacks(port, "endPort")) {
        if (!port.path("port").isNumber()) {
          violations.invalid(
              at + "[" + i + "].endPort",
              port.path("endPort"),
              "may not be specified when `port` is not specified or is non-numeric");
        } else if (port.path("endPort").asInt() < port.path("port").asInt()) {
          violations.invalid(
              at + "[" + i + "].endPort",
              port.path("endPort"),
              "must be greater than or equal to `port`");
        }
      }
    }
  }

  private static void validatePeers(String at, JsonNode peers, Violations violations) {
    for (int i = 0; i < peers.size(); i++) {
      JsonNode peer = peers.get(i);
      String field = at + "[" + i + "]";
      boolean selects = peer.has("podSelector") || peer.has("namespaceSelector");
      if (!selects && !peer.has("ipBlock")) {
        violations.required(field, "must specify a peer");
      } else if (selects && peer.has("ipBlock")) {
        violations.forbidden(field, "may not specify both ipBlock and another peer");
      }
      if (peer.has("ipBlock")) {
        String cidr = peer.path("ipBlock").path("cidr").asText();
        if (cidr.isEmpty()) {
          violations.required(field + ".ipBlock.cidr");
        } else {
          violations.cidr(field + ".ipBlock.cidr", cidr);
        }
        JsonNode except = peer.path("ipBlock").path("except");
        for (int j = 0; j < except.size(); j++) {
          violations.cidr(field + ".ipBlock.except[" + j + "]", except.get(j).asText());
        }
      }
    }
  }
}
