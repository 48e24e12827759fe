package dev.paramecium.policy.rule;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Reads one rule of a CiliumNetworkPolicy, or of the list that {@code cilium policy import} takes,
 * from JSON. Nothing is judged here but the types; {@link RuleValidation} does the rest. Fields
 * that the agent does not know are passed over, as its own reader does.
 */
public final class RuleReader {

  private RuleReader() {}

  /**
   * The rule in {@code json}.
   *
   * @throws InvalidRuleException naming the field that has a wrong type
   */
  public static PolicyRule read(JsonNode json, PolicyName policy, String spec) {
    requireObject(json, spec);
    return new PolicyRule(
        policy,
        spec,
        optionalSelector(json, "endpointSelector", spec),
        optionalSelector(json, "nodeSelector", spec),
        section(json, "ingress", spec, RuleReader::fromPeers),
        section(json, "ingressDeny", spec, RuleReader::fromPeers),
        section(json, "egress", spec, RuleReader::toPeers),
        section(json, "egressDeny", spec, RuleReader::toPeers),
        list(json, "labels", spec, RuleReader::label),
        text(json, "description", spec));
  }

  private static List<TrafficRule> section(
      JsonNode json, String name, String path, BiFunction<JsonNode, String, Peers> peers) {
    return list(
        json,
        name,
        path,
        (entry, at) ->
            new TrafficRule(
                peers.apply(requireObject(entry, at), at),
                list(entry, "toPorts", at, RuleReader::portRule),
                list(
                    entry,
                    "icmps",
                    at,
                    (icmp, where) -> list(icmp, "fields", where, RuleReader::icmpField))));
  }

  private static Peers fromPeers(JsonNode json, String path) {
    return new Peers(
        list(json, "fromEndpoints", path, RuleReader::selector),
        list(json, "fromRequires", path, RuleReader::selector),
        texts(json, "fromCIDR", path),
        list(json, "fromCIDRSet", path, RuleReader::cidrRule),
        texts(json, "fromEntities", path),
        List.of(),
        List.of(),
        List.of(),
        0);
  }

  private static Peers toPeers(JsonNode json, String path) {
    return new Peers(
        list(json, "toEndpoints", path, RuleReader::selector),
        list(json, "toRequires", path, RuleReader::selector),
        texts(json, "toCIDR", path),
        list(json, "toCIDRSet", path, RuleReader::cidrRule),
        texts(json, "toEntities", path),
        list(json, "toServices", path, RuleReader::service),
        List.of(),
        list(json, "toFQDNs", path, RuleReader::fqdn),
        json.path("toGroups").size());
  }

  // ---- selectors

  private static @Nullable EndpointSelector optionalSelector(
      JsonNode json, String name, String path) {
    JsonNode selector = json.path(name);
    return selector.isMissingNode() || selector.isNull()
        ? null
        : selector(selector, path + "." + name);
  }

  /** A label selector whose keys are written with a colon after the source, or without source. */
  static EndpointSelector selector(JsonNode json, String path) {
    return selector(json, path, Label::extendedKey);
  }

  /** A plain Kubernetes label selector over labels that Kubernetes gave. */
  static EndpointSelector kubernetesSelector(JsonNode json, String path, String keyPrefix) {
    return selector(json, path, key -> Label.K8S + "." + keyPrefix + key);
  }

  private static EndpointSelector selector(
      JsonNode json, String path, java.util.function.UnaryOperator<String> extend) {
    requireObject(json, path);
    SortedMap<String, String> labels = new TreeMap<>();
    for (Map.Entry<String, JsonNode> label : json.path("matchLabels").properties()) {
      labels.put(
          extend.apply(label.getKey()),
          text(json.path("matchLabels"), label.getKey(), path + ".matchLabels"));
    }
    return new EndpointSelector(
        labels,
        list(
            json,
            "matchExpressions",
            path,
            (expression, at) -> requirement(expression, at, extend)));
  }

  private static Requirement requirement(
      JsonNode json, String path, java.util.function.UnaryOperator<String> extend) {
    String written = text(json, "operator", path);
    Requirement.Operator operator = Requirement.Operator.of(written);
    if (operator == null) {
      throw new InvalidRuleException(
          "invalid label selector: operator: Invalid value: \""
              + written
              + "\": not a valid selector operator");
    }
    return new Requirement(
        extend.apply(text(json, "key", path)), operator, texts(json, "values", path));
  }

  private static ServiceSelector service(JsonNode json, String path) {
    JsonNode byName = json.path("k8sService");
    if (byName.isObject()) {
      return new ServiceSelector(
          text(byName, "namespace", path), text(byName, "serviceName", path), null);
    }
    JsonNode byLabels = json.path("k8sServiceSelector");
    if (!byLabels.isObject()) {
      return new ServiceSelector("", "", null);
    }
    return new ServiceSelector(
        text(byLabels, "namespace", path),
        "",
        optionalSelector(byLabels, "selector", path + ".k8sServiceSelector"));
  }

  private static FqdnSelector fqdn(JsonNode json, String path) {
    return new FqdnSelector(text(json, "matchName", path), text(json, "matchPattern", path));
  }

  private static CidrRule cidrRule(JsonNode json, String path) {
    return new CidrRule(text(json, "cidr", path), texts(json, "except", path));
  }

  // ---- ports and what is checked on them

  private static PortRule portRule(JsonNode json, String path) {
    JsonNode rules = json.path("rules");
    return new PortRule(
        list(
            json,
            "ports",
            path,
            (port, at) -> new PortProtocol(text(port, "port", at), text(port, "protocol", at))),
        rules.isObject() ? l7Rules(rules, path + ".rules") : L7Rules.NONE,
        json.path("terminatingTLS").isObject(),
        json.path("originatingTLS").isObject(),
        texts(json, "serverNames", path),
        json.path("listener").path("name").asText());
  }

  private static L7Rules l7Rules(JsonNode json, String path) {
    return new L7Rules(
        optionalList(json, "http", path, RuleReader::http),
        optionalList(json, "kafka", path, RuleReader::kafka),
        optionalList(json, "dns", path, RuleReader::fqdn),
        text(json, "l7proto", path),
        optionalList(json, "l7", path, RuleReader::keyValues));
  }

  private static HttpRule http(JsonNode json, String path) {
    return new HttpRule(
        text(json, "path", path),
        text(json, "method", path),
        text(json, "host", path),
        texts(json, "headers", path),
        list(
            json,
            "headerMatches",
            path,
            (match, at) ->
                new HttpRule.HeaderMatch(
                    text(match, "mismatch", at),
                    text(match, "name", at),
                    text(match, "value", at),
                    match.path("secret").isObject())));
  }

  private static KafkaRule kafka(JsonNode json, String path) {
    return new KafkaRule(
        text(json, "role", path),
        text(json, "apiKey", path),
        text(json, "apiVersion", path),
        text(json, "clientID", path),
        text(json, "topic", path));
  }

  private static Map<String, String> keyValues(JsonNode json, String path) {
    Map<String, String> pairs = new TreeMap<>();
    for (Map.Entry<String, JsonNode> pair : json.properties()) {
      pairs.put(pair.getKey(), text(json, pair.getKey(), path));
    }
    return pairs;
  }

  private static IcmpField icmpField(JsonNode json, String path) {
    JsonNode type = json.path("type");
    if (!type.isIntegralNumber() || type.asInt() < 0 || type.asInt() > 255) {
      throw new InvalidRuleException(
          path + ".type: Invalid value: " + type + ": must be a number from 0 to 255");
    }
    return new IcmpField(text(json, "family", path), type.asInt());
  }

  private static Label label(JsonNode json, String path) {
    if (json.isTextual()) {
      return Label.parse(json.asText());
    }
    requireObject(json, path);
    String source = text(json, "source", path);
    return new Label(
        source.isEmpty() ? Label.UNSPECIFIED : source,
        text(json, "key", path),
        text(json, "value", path));
  }

  // ---- types

  private static JsonNode requireObject(JsonNode json, String path) {
    if (!json.isObject()) {
      throw new InvalidRuleException(path + ": Invalid value: " + json + ": must be an object");
    }
    return json;
  }

  private static <T> List<T> list(
      JsonNode json, String name, String path, BiFunction<JsonNode, String, T> entry) {
    List<T> list = optionalList(json, name, path, entry);
    return list == null ? List.of() : list;
  }

  private static <T> @Nullable List<T> optionalList(
      JsonNode json, String name, String path, BiFunction<JsonNode, String, T> entry) {
    JsonNode array = json.path(name);
    if (array.isMissingNode() || array.isNull()) {
      return null;
    }
    if (!array.isArray()) {
      throw new InvalidRuleException(
          path + "." + name + ": Invalid value: " + array + ": must be a list");
    }
    List<T> list = new ArrayList<>(array.size());
    for (int i = 0; i < array.size(); i++) {
      list.add(entry.apply(array.get(i), path + "." + name + "[" + i + "]"));
    }
    return list;
  }

  private static List<String> texts(JsonNode json, String name, String path) {
    return list(json, name, path, RuleReader::requireText);
  }

  private static String text(JsonNode json, String name, String path) {
    JsonNode value = json.path(name);
    return value.isMissingNode() || value.isNull() ? "" : requireText(value, path + "." + name);
  }

  private static String requireText(JsonNode json, String path) {
    if (!json.isTextual()) {
      throw new InvalidRuleException(path + ": Invalid value: " + json + ": must be a string");
    }
    return json.asText();
  }
}
