package dev.paramecium.policy.rule;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Field names as Go's {@code encoding/json} takes them: in any case. Policies that are written for
 * {@code cilium policy import} use it ({@code "HTTP"} for {@code "http"}).
 */
final class FieldNames {

  private static final Map<String, String> DECLARED = new HashMap<>();

  static {
    for (String name :
        List.of(
            "endpointSelector nodeSelector ingress ingressDeny egress egressDeny labels description",
            "matchLabels matchExpressions key operator values source value",
            "fromEndpoints fromRequires fromCIDR fromCIDRSet fromEntities",
            "toEndpoints toRequires toCIDR toCIDRSet toEntities toServices toGroups toFQDNs",
            "cidr except k8sService k8sServiceSelector serviceName namespace selector",
            "matchName matchPattern toPorts ports port protocol icmps fields family type",
            "rules http kafka dns l7proto l7 path method host headers headerMatches mismatch name",
            "secret role apiKey apiVersion clientID topic",
            "terminatingTLS originatingTLS serverNames listener envoyConfig")) {
      for (String word : name.split(" ", -1)) {
        DECLARED.put(word.toLowerCase(Locale.ROOT), word);
      }
    }
  }

  private FieldNames() {}

  /** The same with every field named as its type declares it; keys of maps stay as they are. */
  static JsonNode asDeclared(JsonNode json) {
    return switch (json) {
      case ObjectNode object -> {
        ObjectNode renamed = JsonNodeFactory.instance.objectNode();
        for (Map.Entry<String, JsonNode> field : object.properties()) {
          String name =
              DECLARED.getOrDefault(field.getKey().toLowerCase(Locale.ROOT), field.getKey());
          boolean map = name.equals("matchLabels") || name.equals("l7");
          renamed.set(name, map ? field.getValue() : asDeclared(field.getValue()));
        }
        yield renamed;
      }
      case ArrayNode list -> {
        ArrayNode renamed = JsonNodeFactory.instance.arrayNode();
        list.forEach(element -> renamed.add(asDeclared(element)));
        yield renamed;
      }
      case JsonNode scalar -> scalar;
    };
  }
}
