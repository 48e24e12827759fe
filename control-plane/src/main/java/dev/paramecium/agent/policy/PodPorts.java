package dev.paramecium.agent.policy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.policy.NamedPorts;
import java.util.ArrayList;
import java.util.List;

/** The named ports of a pod, from the pod itself or from what its node publishes of it. */
public final class PodPorts {

  private PodPorts() {}

  /** From {@code spec.containers[].ports[]}. */
  public static NamedPorts ofPod(KubeObject pod) {
    List<NamedPorts.Declared> declared = new ArrayList<>();
    for (JsonNode container : pod.at("/spec/containers")) {
      for (JsonNode port : container.path("ports")) {
        add(declared, port, "containerPort");
      }
    }
    return NamedPorts.ofPod(declared);
  }

  /** From {@code status.named-ports} of its CiliumEndpoint. */
  public static NamedPorts ofCiliumEndpoint(KubeObject ciliumEndpoint) {
    List<NamedPorts.Declared> declared = new ArrayList<>();
    for (JsonNode port : ciliumEndpoint.at("/status/named-ports")) {
      add(declared, port, "port");
    }
    return NamedPorts.ofPod(declared);
  }

  private static void add(List<NamedPorts.Declared> declared, JsonNode port, String number) {
    if (port.path("name").isTextual()) {
      declared.add(
          new NamedPorts.Declared(
              port.path("name").asText(),
              port.path(number).asInt(),
              port.path("protocol").asText()));
    }
  }
}
