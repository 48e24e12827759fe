package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code v1/Pod}: defaults of {@code pkg/apis/core/v1/defaults.go}, the checks of {@code
 * pkg/apis/core/validation} that the emulator acts on.
 */
final class PodRules implements ServedKind.Rules {

  private static final long DEFAULT_GRACE_SECONDS = 30;

  @Override
  public void setDefaults(ObjectNode object) {
    ObjectNode spec = object.withObject("/spec");
    putIfAbsent(spec, "restartPolicy", "Always");
    putIfAbsent(spec, "dnsPolicy", "ClusterFirst");
    putIfAbsent(spec, "schedulerName", "default-scheduler");
    putIfAbsent(spec, "serviceAccountName", "default");
    putIfAbsent(spec, "serviceAccount", spec.path("serviceAccountName").asText());
    if (!spec.has("terminationGracePeriodSeconds")) {
      spec.put("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS);
    }
    if (!spec.has("enableServiceLinks")) {
      spec.put("enableServiceLinks", true);
    }
    if (!spec.has("securityContext")) {
      spec.putObject("securityContext");
    }
    for (JsonNode element : spec.path("containers")) {
      if (element instanceof ObjectNode container) {
        setContainerDefaults(container);
      }
    }
    ObjectNode status = object.withObject("/status");
    putIfAbsent(status, "phase", "Pending");
    putIfAbsent(status, "qosClass", qosClass(spec));
  }

  private static void setContainerDefaults(ObjectNode container) {
    String image = container.path("image").asText();
    String tag = image.substring(image.lastIndexOf('/') + 1);
    boolean latest = !tag.contains(":") || tag.endsWith(":latest");
    putIfAbsent(
        container, "imagePullPolicy", latest && !tag.contains("@") ? "Always" : "IfNotPresent");
    putIfAbsent(container, "terminationMessagePath", "/dev/termination-log");
    putIfAbsent(container, "terminationMessagePolicy", "File");
    if (!container.has("resources")) {
      container.putObject("resources");
    }
    for (JsonNode port : container.path("ports")) {
      if (port instanceof ObjectNode object) {
        putIfAbsent(object, "protocol", "TCP");
      }
    }
  }

  private static void putIfAbsent(ObjectNode object, String field, String value) {
    if (object.path(field).asText().isEmpty()) {
      object.put(field, value);
    }
  }

  /**
   * {@code GetPodQOS}: Guaranteed if every container's cpu and memory limits equal its requests,
   * BestEffort if none has any.
   */
  private static String qosClass(JsonNode spec) {
    boolean any = false;
    boolean guaranteed = true;
    for (JsonNode container : spec.path("containers")) {
      JsonNode limits = container.path("resources").path("limits");
      JsonNode requests = container.path("resources").path("requests");
      any |= !limits.isEmpty() || !requests.isEmpty();
      for (String resource : List.of("cpu", "memory")) {
        guaranteed &=
            limits.has(resource)
                && (!requests.has(resource)
                    || requests.path(resource).equals(limits.path(resource)));
      }
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    JsonNode spec = object.at("/spec");
    if (!spec.path("containers").isArray() || spec.path("containers").isEmpty()) {
      violations.required("spec.containers");
    }
    Set<String> names = new HashSet<>();
    for (int i = 0; i < spec.path("containers").size(); i++) {
      validateContainer(
          "spec.containers[" + i + "]", spec.path("containers").get(i), names, violations);
    }
    String restartPolicy = spec.path("restartPolicy").asText();
    if (!List.of("Always", "OnFailure", "Never").contains(restartPolicy)) {
      violations.notSupported(
          "spec.restartPolicy", restartPolicy, List.of("Always", "OnFailure", "Never"));
    }
    if (spec.path("terminationGracePeriodSeconds").asLong() < 0) {
      violations.invalid(
          "spec.terminationGracePeriodSeconds",
          spec.path("terminationGracePeriodSeconds").asText(),
          "must be greater than or equal to 0");
    }
    if (!spec.path("nodeName").asText().isEmpty()) {
      violations.subdomain("spec.nodeName", spec.path("nodeName").asText());
    }
  }

  private static void validateContainer(
      String at, JsonNode container, Set<String> names, Violations violations) {
    String name = container.path("name").asText();
    if (name.isEmpty()) {
      violations.required(at + ".name");
    } else {
      violations.label(at + ".name", name);
      if (!names.add(name)) {
        violations.duplicate(at + ".name", name);
      }
    }
    if (container.path("image").asText().isEmpty()) {
      violations.required(at + ".image");
    }
    for (String list : List.of("command", "args")) {
      if (container.has(list) && !container.path(list).isArray()) {
        violations.invalid(
            at + "." + list, container.path(list).asText(), "must be a list of strings");
      }
    }
    JsonNode ports = container.path("ports");
    for (int i = 0; i < ports.size(); i++) {
      int port = ports.get(i).path("containerPort").asInt();
      if (port < 1 || port > 65535) {
        violations.invalid(
            at + ".ports[" + i + "].containerPort",
            ports.get(i).path("containerPort").asText(),
            "must be between 1 and 65535, inclusive");
      }
      String protocol = ports.get(i).path("protocol").asText();
      if (!List.of("TCP", "UDP", "SCTP").contains(protocol)) {
        violations.notSupported(
            at + ".ports[" + i + "].protocol", protocol, List.of("SCTP", "TCP", "UDP"));
      }
    }
  }

  @Override
  public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
    String bound = old.text("/spec/nodeName");
    if (!bound.isEmpty() && !bound.equals(now.text("/spec/nodeName"))) {
      violations.forbidden(
          "spec",
          "pod updates may not change fields other than"
              + " `spec.containers[*].image`,`spec.activeDeadlineSeconds` or `spec.tolerations`"
              + " (only additions to existing tolerations)");
    }
  }

  @Override
  public boolean deletesGracefully(KubeObject pod) {
    return !pod.text("/spec/nodeName").isEmpty()
        && !List.of("Succeeded", "Failed").contains(pod.text("/status/phase"));
  }
}
