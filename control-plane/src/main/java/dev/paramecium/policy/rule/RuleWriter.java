package dev.paramecium.policy.rule;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Rules as the agent prints them: the JSON of {@code pkg/policy/api}, which {@link RuleReader}
 * reads again.
 */
public final class RuleWriter {

  private RuleWriter() {}

  /** A list, as {@code cilium policy get} prints it. */
  public static ArrayNode write(Collection<PolicyRule> rules) {
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    rules.forEach(rule -> write(rule, json.addObject()));
    return json;
  }

  private static void write(PolicyRule rule, ObjectNode json) {
    optional(json, "endpointSelector", rule.endpointSelector());
    optional(json, "nodeSelector", rule.nodeSelector());
    each(json, "ingress", rule.ingress(), (one, node) -> traffic(one, node, true));
    each(json, "ingressDeny", rule.ingressDeny(), (one, node) -> traffic(one, node, true));
    each(json, "egress", rule.egress(), (one, node) -> traffic(one, node, false));
    each(json, "egressDeny", rule.egressDeny(), (one, node) -> traffic(one, node, false));
    each(json, "labels", rule.labels(), RuleWriter::label);
    text(json, "description", rule.description());
  }

  private static void label(Label label, ObjectNode json) {
    json.put("key", label.key()).put("value", label.value()).put("source", label.source());
  }

  private static void traffic(TrafficRule rule, ObjectNode json, boolean ingress) {
    String side = ingress ? "from" : "to";
    Peers peers = rule.peers();
    each(json, side + "Endpoints", peers.endpoints(), RuleWriter::selector);
    each(json, side + "Requires", peers.requires(), RuleWriter::selector);
    texts(json, side + "CIDR", peers.cidrs());
    each(json, side + "CIDRSet", peers.cidrSets(), RuleWriter::cidrSet);
    texts(json, side + "Entities", peers.entities());
    each(json, "toServices", peers.services(), RuleWriter::service);
    each(json, "toPorts", rule.toPorts(), RuleWriter::portRule);
    each(json, "toFQDNs", peers.fqdns(), RuleWriter::name);
    each(
        json,
        "icmps",
        rule.icmps(),
        (fields, node) ->
            each(
                node,
                "fields",
                fields,
                (field, one) ->
                    one.put("family", field.family().isEmpty() ? "IPv4" : field.family())
                        .put("type", field.type())));
  }

  private static void cidrSet(CidrRule set, ObjectNode json) {
    json.put("cidr", set.cidr());
    texts(json, "except", set.except());
  }

  private static void service(ServiceSelector service, ObjectNode json) {
    EndpointSelector selector = service.selector();
    if (selector == null) {
      ObjectNode byName = json.putObject("k8sService");
      text(byName, "serviceName", service.name());
      text(byName, "namespace", service.namespace());
    } else {
      ObjectNode byLabels = json.putObject("k8sServiceSelector");
      selector(selector, byLabels.putObject("selector"));
      text(byLabels, "namespace", service.namespace());
    }
  }

  private static void portRule(PortRule rule, ObjectNode json) {
    each(
        json,
        "ports",
        rule.ports(),
        (port, node) -> node.put("port", port.port()).put("protocol", port.protocol()));
    texts(json, "serverNames", rule.serverNames());
    L7Rules l7 = rule.rules();
    if (!l7.isEmpty()) {
      l7(l7, json.putObject("rules"));
    }
  }

  private static void l7(L7Rules rules, ObjectNode json) {
    each(json, "http", orEmpty(rules.http()), RuleWriter::http);
    each(json, "kafka", orEmpty(rules.kafka()), RuleWriter::kafka);
    each(json, "dns", orEmpty(rules.dns()), RuleWriter::name);
    text(json, "l7proto", rules.protocol());
    each(json, "l7", orEmpty(rules.keyValues()), (pairs, node) -> pairs.forEach(node::put));
  }

  private static <T> List<T> orEmpty(@Nullable List<T> list) {
    return list == null ? List.of() : list;
  }

  private static void http(HttpRule rule, ObjectNode json) {
    text(json, "path", rule.path());
    text(json, "method", rule.method());
    text(json, "host", rule.host());
    texts(json, "headers", rule.headers());
    each(
        json,
        "headerMatches",
        rule.headerMatches(),
        (match, node) -> {
          text(node, "mismatch", match.mismatch());
          node.put("name", match.name());
          text(node, "value", match.value());
        });
  }

  private static void kafka(KafkaRule rule, ObjectNode json) {
    text(json, "role", rule.role());
    text(json, "apiKey", rule.apiKey());
    text(json, "apiVersion", rule.apiVersion());
    text(json, "clientID", rule.clientId());
    text(json, "topic", rule.topic());
  }

  private static void name(FqdnSelector name, ObjectNode json) {
    text(json, "matchName", name.matchName());
    text(json, "matchPattern", name.matchPattern());
  }

  // ---- selectors

  private static void optional(ObjectNode json, String name, @Nullable EndpointSelector selector) {
    if (selector != null) {
      selector(selector, json.putObject(name));
    }
  }

  /** A selector on one line; none, as a rule about nodes has of pods, is <code>{}</code>. */
  public static String selector(@Nullable EndpointSelector selector) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (selector != null) {
      selector(selector, json);
    }
    return json.toString();
  }

  private static void selector(EndpointSelector selector, ObjectNode json) {
    if (!selector.matchLabels().isEmpty()) {
      ObjectNode labels = json.putObject("matchLabels");
      selector.matchLabels().forEach((key, value) -> labels.put(written(key), value));
    }
    each(
        json,
        "matchExpressions",
        selector.matchExpressions(),
        (requirement, node) -> {
          node.put("key", written(requirement.key()));
          node.put("operator", requirement.operator().toString());
          texts(node, "values", requirement.values());
        });
  }

  /** {@code k8s.app} as {@code k8s:app}. */
  private static String written(String extendedKey) {
    return extendedKey.replaceFirst("[.]", ":");
  }

  // ---- JSON; what is empty is left out

  private static <T> void each(
      ObjectNode json, String name, List<T> values, BiConsumer<T, ObjectNode> writer) {
    if (!values.isEmpty()) {
      ArrayNode array = json.putArray(name);
      values.forEach(value -> writer.accept(value, array.addObject()));
    }
  }

  private static void texts(ObjectNode json, String name, List<String> values) {
    if (!values.isEmpty()) {
      ArrayNode array = json.putArray(name);
      values.forEach(array::add);
    }
  }

  private static void text(ObjectNode json, String name, String value) {
    if (!value.isEmpty()) {
      json.put(name, value);
    }
  }
}
