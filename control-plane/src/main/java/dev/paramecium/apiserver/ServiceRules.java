package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** {@code v1/Service}. Addresses and node ports are {@link ServiceAllocation}'s to give. */
final class ServiceRules implements ServedKind.Rules {

  private static final List<String> TYPES =
      List.of("ClusterIP", "ExternalName", "LoadBalancer", "NodePort");
  private static final int CLIENT_IP_SECONDS = 10800;

  @Override
  public void setDefaults(ObjectNode object) {
    ObjectNode spec = object.withObject("/spec");
    Defaults.text(spec, "type", "ClusterIP");
    Defaults.text(spec, "sessionAffinity", "None");
    if (spec.path("sessionAffinity").asText().equals("ClientIP")) {
      Defaults.positive(
          Defaults.object(Defaults.object(spec, "sessionAffinityConfig"), "clientIP"),
          "timeoutSeconds",
          CLIENT_IP_SECONDS);
    }
    Defaults.each(
        spec,
        "ports",
        port -> {
          Defaults.text(port, "protocol", "TCP");
          JsonNode target = port.path("targetPort");
          if (target.isMissingNode()
              || target.isNull()
              || target.isNumber() && target.asInt() == 0
              || target.isTextual() && target.asText().isEmpty()) {
            port.set("targetPort", port.path("port").deepCopy());
          }
        });
    String type = spec.path("type").asText();
    if (type.equals("NodePort") || type.equals("LoadBalancer")) {
      Defaults.text(spec, "externalTrafficPolicy", "Cluster");
    } else {
      spec.remove(List.of("externalTrafficPolicy", "healthCheckNodePort"));
    }
    if (type.equals("LoadBalancer")) {
      Defaults.flag(spec, "allocateLoadBalancerNodePorts", true);
    }
    if (!type.equals("ExternalName")) {
      Defaults.text(spec, "internalTrafficPolicy", "Cluster");
    }
    object.withObject("/status/loadBalancer");
  }

  @Override
  public void validate(KubeObject service, Violations violations) {
    violations.dnsLabel1035("metadata.name", service.name());
    JsonNode spec = service.at("/spec");
    String type = spec.path("type").asText();
    if (!TYPES.contains(type)) {
      violations.notSupported("spec.type", type, TYPES);
    }
    String affinity = spec.path("sessionAffinity").asText();
    if (!List.of("ClientIP", "None").contains(affinity)) {
      violations.notSupported("spec.sessionAffinity", affinity, List.of("ClientIP", "None"));
    }
    boolean headless = spec.path("clusterIP").asText().equals("None");
    if (type.equals("ExternalName")) {
      if (spec.path("externalName").asText().isEmpty()) {
        violations.required("spec.externalName");
      }
    } else if (!headless && spec.path("ports").isEmpty()) {
      violations.required("spec.ports");
    }
    if (headless && (type.equals("NodePort") || type.equals("LoadBalancer"))) {
      violations.invalid(
          "spec.clusterIPs[0]", "None", "may not be set to 'None' for " + type + " services");
    }
    violations.labels("spec.selector", spec.path("selector"));
    validatePorts(spec.path("ports"), violations);
  }

  private static void validatePorts(JsonNode ports, Violations violations) {
    Set<String> names = new HashSet<>();
    Set<String> numbers = new HashSet<>();
    for (int i = 0; i < ports.size(); i++) {
      JsonNode port = ports.get(i);
      String at = "spec.ports[" + i + "]";
      String name = port.path("name").asText();
      if (name.isEmpty() && ports.size() > 1) {
        violations.required(at + ".name");
      } else if (!name.isEmpty()) {
        violations.label(at + ".name", name);
        if (!names.add(name)) {
          violations.duplicate(at + ".name", name);
        }
      }
      violations.port(at + ".port", port.path("port"));
      violations.protocol(at + ".protocol", port.path("protocol").asText());
      if (port.path("targetPort").isNumber()) {
        violations.port(at + ".targetPort", port.path("targetPort"));
      }
      if (!numbers.add(port.path("protocol").asText() + port.path("port").asText())) {
        violations.duplicate(at, port.path("port").asText() + "/" + port.path("protocol").asText());
      }
    }
  }

  @Override
  public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
    String before = old.text("/spec/clusterIP");
    String after = now.text("/spec/clusterIP");
    if (!before.isEmpty()
        && !before.equals(after)
        && !old.text("/spec/type").equals("ExternalName")
        && !now.text("/spec/type").equals("ExternalName")) {
      violations.invalid("spec.clusterIPs[0]", after, "may not change once set");
    }
  }
}
