package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import java.util.Collection;
import java.util.Map;

/**
 * Who may reach whom by a set of NetworkPolicies, as their reference says it
 * (networking.k8s.io/v1), and by nothing of what the product makes of them.
 */
final class PolicyOracle {

  /** An end of a connection. */
  record Peer(String namespace, Map<String, String> labels, Map<String, String> namespaceLabels) {}

  private PolicyOracle() {}

  /** Whether every policy lets it pass, at both ends. */
  static boolean allows(
      Collection<JsonNode> policies, Peer from, Peer to, int port, String protocol) {
    return allows(policies, "Egress", from, to, port, protocol)
        && allows(policies, "Ingress", to, from, port, protocol);
  }

  /**
   * Whether the policies of one end let it pass.
   *
   * @param direction {@code Ingress} or {@code Egress}, the subject's
   */
  static boolean allows(
      Collection<JsonNode> policies,
      String direction,
      Peer subject,
      Peer peer,
      int port,
      String protocol) {
    boolean selected = false;
    for (JsonNode policy : policies) {
      JsonNode spec = policy.path("spec");
      if (namespace(policy).equals(subject.namespace())
          && concerns(spec, direction)
          && matches(spec.path("podSelector"), subject.labels())) {
        selected = true;
        boolean egress = direction.equals("Egress");
        for (JsonNode rule : spec.path(egress ? "egress" : "ingress")) {
          if (isPeer(rule.path(egress ? "to" : "from"), subject, peer)
              && isPort(rule.path("ports"), port, protocol)) {
            return true;
          }
        }
      }
    }
    return !selected;
  }

  private static String namespace(JsonNode policy) {
    return policy.path("metadata").path("namespace").asText("default");
  }

  private static boolean concerns(JsonNode spec, String direction) {
    if (spec.path("policyTypes").isEmpty()) {
      return direction.equals("Ingress") || spec.has("egress");
    }
    for (JsonNode type : spec.path("policyTypes")) {
      if (type.asText().equals(direction)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isPeer(JsonNode peers, Peer subject, Peer peer) {
    if (peers.isEmpty()) {
      return true;
    }
    for (JsonNode one : peers) {
      boolean namespace =
          one.has("namespaceSelector")
              ? matches(one.path("namespaceSelector"), peer.namespaceLabels())
              : peer.namespace().equals(subject.namespace());
      if (namespace
          && (!one.has("podSelector") || matches(one.path("podSelector"), peer.labels()))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isPort(JsonNode ports, int port, String protocol) {
    if (ports.isEmpty()) {
      return true;
    }
    for (JsonNode one : ports) {
      int first = one.path("port").asInt();
      int last = one.path("endPort").asInt(first);
      if (one.path("protocol").asText("TCP").equals(protocol)
          && (!one.has("port") || port >= first && port <= last)) {
        return true;
      }
    }
    return false;
  }

  private static boolean matches(JsonNode selector, Map<String, String> labels) {
    for (Map.Entry<String, JsonNode> wanted : selector.path("matchLabels").properties()) {
      if (!wanted.getValue().asText().equals(labels.get(wanted.getKey()))) {
        return false;
      }
    }
    for (JsonNode expression : selector.path("matchExpressions")) {
      String value = labels.get(expression.path("key").asText());
      boolean listed = false;
      for (JsonNode one : expression.path("values")) {
        listed |= one.asText().equals(value);
      }
      boolean met =
          switch (expression.path("operator").asText()) {
            case "In" -> listed;
            case "NotIn" -> !listed;
            case "Exists" -> value != null;
            default -> value == null;
          };
      if (!met) {
        return false;
      }
    }
    return true;
  }

  /**
   * Refuses what this cannot judge.
   *
   * @throws UserError naming the policy and the fix
   */
  static void requireReadable(ObjectNode object, String source) {
    String kind = object.path("kind").asText();
    String text = object.path("spec").toString();
    boolean namedPort = text.matches(".*\"port\":\"[^\"]*\".*");
    if (kind.startsWith("Cilium")
        || kind.equals("NetworkPolicy") && (text.contains("\"ipBlock\"") || namedPort)) {
      throw new UserError(
          UserError.USAGE,
          source
              + ": "
              + kind
              + " "
              + object.path("metadata").path("name").asText()
              + " cannot be judged from outside: use NetworkPolicies with podSelector,"
              + " namespaceSelector and numbered ports.");
    }
  }
}
