package dev.paramecium.agent.policy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.policy.rule.Cidr;
import dev.paramecium.policy.rule.Label;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.PolicyRule;
import dev.paramecium.policy.rule.ServiceSelector;
import dev.paramecium.policy.rule.TrafficRule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What {@code toServices} stands for: the addresses behind the Services that have no selector, each
 * as a block of its own (Cilium {@code pkg/k8s/rule_translate.go}). A Service whose backends are
 * pods of the cluster stands for nothing; its pods are selected by their labels.
 */
final class ExternalServices {

  private final Map<String, KubeObject> services = new TreeMap<>();
  private final Map<String, Map<String, KubeObject>> slices = new HashMap<>();

  /** A Service or EndpointSlice is there, or different. */
  void upsert(KubeObject object) {
    if (object.kind().equals("Service")) {
      services.put(key(object.namespace(), object.name()), object);
    } else {
      slices.computeIfAbsent(serviceOf(object), _ -> new TreeMap<>()).put(object.name(), object);
    }
  }

  /** A Service or EndpointSlice is gone. */
  void remove(KubeObject object) {
    if (object.kind().equals("Service")) {
      services.remove(key(object.namespace(), object.name()));
    } else {
      Map<String, KubeObject> rest = slices.getOrDefault(serviceOf(object), new TreeMap<>());
      rest.remove(object.name());
      if (rest.isEmpty()) {
        slices.remove(serviceOf(object));
      }
    }
  }

  private static String key(String namespace, String name) {
    return namespace + "/" + name;
  }

  private static String serviceOf(KubeObject slice) {
    return key(slice.namespace(), slice.labels().getOrDefault("kubernetes.io/service-name", ""));
  }

  /** Whether {@code rule} says something of services. */
  static boolean isNamedIn(PolicyRule rule) {
    return rule.egress().stream().anyMatch(entry -> !entry.peers().services().isEmpty());
  }

  /** The rules with the addresses of now. Deny rules are not translated. */
  List<PolicyRule> translate(List<PolicyRule> rules) {
    return rules.stream().map(rule -> isNamedIn(rule) ? translate(rule) : rule).toList();
  }

  private PolicyRule translate(PolicyRule rule) {
    List<TrafficRule> egress = new ArrayList<>();
    for (TrafficRule entry : rule.egress()) {
      egress.add(
          entry.withPeers(entry.peers().withServiceBlocks(blocks(entry.peers().services()))));
    }
    return new PolicyRule(
        rule.policy(),
        rule.spec(),
        rule.endpointSelector(),
        rule.nodeSelector(),
        rule.ingress(),
        rule.ingressDeny(),
        egress,
        rule.egressDeny(),
        rule.labels(),
        rule.description());
  }

  private List<Cidr> blocks(List<ServiceSelector> selectors) {
    TreeSet<String> addresses = new TreeSet<>();
    services.forEach(
        (key, service) -> {
          boolean external = service.at("/spec/selector").isEmpty();
          if (external && selectors.stream().anyMatch(one -> selects(one, service))) {
            slices.getOrDefault(key, Map.of()).values().forEach(slice -> collect(slice, addresses));
          }
        });
    List<Cidr> blocks = new ArrayList<>();
    for (String address : addresses) {
      Cidr block = Cidr.parseBlockOrAddress(address);
      if (block != null) {
        blocks.add(block);
      }
    }
    return blocks;
  }

  private static void collect(KubeObject slice, Set<String> addresses) {
    for (JsonNode endpoint : slice.at("/endpoints")) {
      endpoint.path("addresses").forEach(address -> addresses.add(address.asText()));
    }
  }

  private static boolean selects(ServiceSelector selector, KubeObject service) {
    if (!selector.namespace().isEmpty() && !selector.namespace().equals(service.namespace())) {
      return false;
    }
    if (selector.selector() == null) {
      return selector.name().equals(service.name());
    }
    List<Label> labels = new ArrayList<>();
    service.labels().forEach((key, value) -> labels.add(Label.k8s(key, value)));
    return selector.selector().matches(new LabelSet(labels));
  }
}
