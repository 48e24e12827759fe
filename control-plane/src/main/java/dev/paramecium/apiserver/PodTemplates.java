package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code v1/PodSpec}, of a pod or of a template: defaults of {@code pkg/apis/core/v1/defaults.go}
 * and the checks of {@code pkg/apis/core/validation} that the emulator acts on.
 */
final class PodTemplates {

  private static final int DEFAULT_GRACE_SECONDS = 30;
  private static final int DEFAULT_MODE = 0644;
  private static final List<String> CONTAINER_LISTS =
      List.of("initContainers", "containers", EphemeralContainers.FIELD);

  private PodTemplates() {}

  /** What every {@code PodSpec} gets, also in a template. */
  static void setDefaults(ObjectNode spec) {
    Defaults.text(spec, "restartPolicy", "Always");
    Defaults.text(spec, "dnsPolicy", "ClusterFirst");
    Defaults.text(spec, "schedulerName", "default-scheduler");
    Defaults.number(spec, "terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS);
    if (!spec.path("securityContext").isObject()) {
      spec.putObject("securityContext");
    }
    String account = spec.path("serviceAccountName").asText();
    if (account.isEmpty() && !spec.path("serviceAccount").asText().isEmpty()) {
      spec.put("serviceAccountName", spec.path("serviceAccount").asText());
    } else if (!account.isEmpty()) {
      spec.put("serviceAccount", account);
    }
    boolean hostNetwork = spec.path("hostNetwork").asBoolean();
    for (String list : CONTAINER_LISTS) {
      Defaults.each(spec, list, container -> setContainerDefaults(container, hostNetwork));
    }
    Defaults.each(spec, "volumes", PodTemplates::setVolumeDefaults);
  }

  private static void setContainerDefaults(ObjectNode container, boolean hostNetwork) {
    String image = container.path("image").asText();
    String tag = image.substring(image.lastIndexOf('/') + 1);
    boolean latest = !tag.contains(":") || tag.endsWith(":latest");
    Defaults.text(
        container, "imagePullPolicy", latest && !tag.contains("@") ? "Always" : "IfNotPresent");
    Defaults.text(container, "terminationMessagePath", "/dev/termination-log");
    Defaults.text(container, "terminationMessagePolicy", "File");
    if (!container.path("resources").isObject()) {
      container.putObject("resources");
    }
    Defaults.each(
        container,
        "ports",
        port -> {
          Defaults.text(port, "protocol", "TCP");
          if (hostNetwork) {
            Defaults.number(port, "hostPort", port.path("containerPort").asInt());
          }
        });
    Defaults.each(
        container,
        "env",
        variable ->
            Defaults.ifObject(
                variable.path("valueFrom"),
                "fieldRef",
                reference -> Defaults.text(reference, "apiVersion", "v1")));
    for (String probe : List.of("livenessProbe", "readinessProbe", "startupProbe")) {
      Defaults.ifObject(container, probe, PodTemplates::setProbeDefaults);
    }
    for (String hook : List.of("postStart", "preStop")) {
      Defaults.ifObject(
          container.path("lifecycle").path(hook), "httpGet", PodTemplates::setHttpGetDefaults);
    }
  }

  private static void setProbeDefaults(ObjectNode probe) {
    Defaults.positive(probe, "timeoutSeconds", 1);
    Defaults.positive(probe, "periodSeconds", 10);
    Defaults.positive(probe, "successThreshold", 1);
    Defaults.positive(probe, "failureThreshold", 3);
    Defaults.ifObject(probe, "httpGet", PodTemplates::setHttpGetDefaults);
    Defaults.ifObject(probe, "grpc", grpc -> Defaults.text(grpc, "service", ""));
  }

  private static void setHttpGetDefaults(ObjectNode httpGet) {
    Defaults.text(httpGet, "path", "/");
    Defaults.text(httpGet, "scheme", "HTTP");
  }

  private static void setVolumeDefaults(ObjectNode volume) {
    if (volume.size() == 1 && volume.has("name")) {
      volume.putObject("emptyDir");
    }
    for (String source : List.of("secret", "configMap", "downwardAPI", "projected")) {
      Defaults.ifObject(volume, source, it -> Defaults.number(it, "defaultMode", DEFAULT_MODE));
    }
    Defaults.ifObject(volume, "hostPath", it -> Defaults.text(it, "type", ""));
    for (JsonNode source : volume.path("projected").path("sources")) {
      Defaults.ifObject(
          source,
          "serviceAccountToken",
          token -> Defaults.number(token, "expirationSeconds", 3600));
    }
  }

  /**
   * Checks a {@code PodSpec}.
   *
   * @param at its path, as {@code spec} or {@code spec.template.spec}
   */
  static void validate(String at, JsonNode spec, Violations violations) {
    if (!spec.path("containers").isArray() || spec.path("containers").isEmpty()) {
      violations.required(at + ".containers");
    }
    Set<String> volumes = new HashSet<>();
    for (int i = 0; i < spec.path("volumes").size(); i++) {
      String name = spec.path("volumes").get(i).path("name").asText();
      String field = at + ".volumes[" + i + "].name";
      if (name.isEmpty()) {
        violations.required(field);
      } else {
        violations.label(field, name);
        if (!volumes.add(name)) {
          violations.duplicate(field, name);
        }
      }
    }
    Set<String> names = new HashSet<>();
    for (String list : CONTAINER_LISTS) {
      for (int i = 0; i < spec.path(list).size(); i++) {
        validateContainer(
            at + "." + list + "[" + i + "]", spec.path(list).get(i), names, volumes, violations);
      }
    }
    if (!at.equals("spec") && !spec.path(EphemeralContainers.FIELD).isEmpty()) {
      violations.forbidden(
          at + "." + EphemeralContainers.FIELD, "ephemeral containers not allowed in pod template");
    }
    String restartPolicy = spec.path("restartPolicy").asText();
    if (!List.of("Always", "OnFailure", "Never").contains(restartPolicy)) {
      violations.notSupported(
          at + ".restartPolicy", restartPolicy, List.of("Always", "OnFailure", "Never"));
    }
    if (spec.path("terminationGracePeriodSeconds").asLong() < 0) {
      violations.invalid(
          at + ".terminationGracePeriodSeconds",
          spec.path("terminationGracePeriodSeconds").asText(),
          "must be greater than or equal to 0");
    }
    if (!spec.path("nodeName").asText().isEmpty()) {
      violations.subdomain(at + ".nodeName", spec.path("nodeName").asText());
    }
    violations.labels(at + ".nodeSelector", spec.path("nodeSelector"));
    for (int i = 0; i < spec.path("readinessGates").size(); i++) {
      String type = spec.path("readinessGates").get(i).path("conditionType").asText();
      violations.qualifiedName(at + ".readinessGates[" + i + "].conditionType", type);
    }
  }

  private static void validateContainer(
      String at,
      JsonNode container,
      Set<String> names,
      Set<String> volumes,
      Violations violations) {
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
    validatePorts(at + ".ports", container.path("ports"), violations);
    for (int i = 0; i < container.path("env").size(); i++) {
      if (container.path("env").get(i).path("name").asText().isEmpty()) {
        violations.required(at + ".env[" + i + "].name");
      }
    }
    ProbeRules.validate(at, container, violations);
    Set<String> paths = new HashSet<>();
    for (int i = 0; i < container.path("volumeMounts").size(); i++) {
      JsonNode mount = container.path("volumeMounts").get(i);
      String field = at + ".volumeMounts[" + i + "]";
      String volume = mount.path("name").asText();
      if (!volumes.contains(volume)) {
        violations.notFound(field + ".name", volume);
      }
      String path = mount.path("mountPath").asText();
      if (path.isEmpty()) {
        violations.required(field + ".mountPath");
      } else if (!paths.add(path)) {
        violations.invalid(field + ".mountPath", path, "must be unique");
      }
    }
  }

  private static void validatePorts(String at, JsonNode ports, Violations violations) {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < ports.size(); i++) {
      JsonNode port = ports.get(i);
      String field = at + "[" + i + "]";
      if (port.path("containerPort").asInt() == 0) {
        violations.required(field + ".containerPort");
      } else {
        violations.port(field + ".containerPort", port.path("containerPort"));
      }
      if (port.path("hostPort").asInt() != 0) {
        violations.port(field + ".hostPort", port.path("hostPort"));
      }
      String name = port.path("name").asText();
      if (!name.isEmpty() && !names.add(name)) {
        violations.duplicate(field + ".name", name);
      }
      violations.protocol(field + ".protocol", port.path("protocol").asText());
    }
  }
}
