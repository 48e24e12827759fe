package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * Checks of probes and lifecycle hooks ({@code validateProbe} and {@code validateHandler} of {@code
 * pkg/apis/core/validation}).
 */
final class ProbeRules {

  private static final List<String> HANDLERS = List.of("exec", "httpGet", "tcpSocket", "grpc");
  private static final List<String> SECONDS_AND_COUNTS =
      List.of(
          "initialDelaySeconds",
          "timeoutSeconds",
          "periodSeconds",
          "successThreshold",
          "failureThreshold");

  private ProbeRules() {}

  /**
   * Checks what a container has of them.
   *
   * @param at the container's path, as {@code spec.containers[0]}
   */
  static void validate(String at, JsonNode container, Violations violations) {
    boolean init = at.contains("initContainers[");
    for (String field : List.of("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")) {
      if (init && container.path(field).isObject()) {
        violations.invalid(
            at + "." + field, container.path(field), "must not be set for init containers");
      }
    }
    if (init) {
      return;
    }
    for (String hook : List.of("postStart", "preStop")) {
      JsonNode handler = container.path("lifecycle").path(hook);
      if (handler.isObject()) {
        validateHandler(at + ".lifecycle." + hook, handler, violations);
      }
    }
    validateProbe(at + ".livenessProbe", container.path("livenessProbe"), violations);
    validateProbe(at + ".readinessProbe", container.path("readinessProbe"), violations);
    validateProbe(at + ".startupProbe", container.path("startupProbe"), violations);
  }

  private static void validateProbe(String at, JsonNode probe, Violations violations) {
    if (!probe.isObject()) {
      return;
    }
    validateHandler(at, probe, violations);
    for (String field : SECONDS_AND_COUNTS) {
      if (probe.path(field).asLong() < 0) {
        violations.invalid(
            at + "." + field, probe.path(field), "must be greater than or equal to 0");
      }
    }
    boolean readiness = at.endsWith(".readinessProbe");
    if (!readiness && probe.path("successThreshold").asLong(1) != 1) {
      violations.invalid(at + ".successThreshold", probe.path("successThreshold"), "must be 1");
    }
    JsonNode grace = probe.path("terminationGracePeriodSeconds");
    if (grace.isNumber()) {
      String field = at + ".terminationGracePeriodSeconds";
      if (readiness) {
        violations.invalid(field, grace, "must not be set for readinessProbes");
      } else if (grace.asLong() <= 0) {
        violations.invalid(field, grace, "must be greater than 0");
      }
    }
  }

  private static void validateHandler(String at, JsonNode handler, Violations violations) {
    List<String> given = HANDLERS.stream().filter(name -> handler.path(name).isObject()).toList();
    if (given.isEmpty()) {
      violations.required(at, "must specify a handler type");
    }
    given.stream()
        .skip(1)
        .forEach(
            surplus ->
                violations.forbidden(
                    at + "." + surplus, "may not specify more than 1 handler type"));
    if (given.isEmpty()) {
      return;
    }
    String name = given.getFirst();
    JsonNode action = handler.path(name);
    String field = at + "." + name;
    switch (name) {
      case "exec" -> {
        if (action.path("command").isEmpty()) {
          violations.required(field + ".command");
        }
      }
      case "httpGet" -> validateHttpGet(field, action, violations);
      case "tcpSocket" -> violations.portOrName(field + ".port", action.path("port"));
      case "grpc" -> violations.port(field + ".port", action.path("port"));
      default -> throw new IllegalStateException("no handler: " + name);
    }
  }

  private static void validateHttpGet(String at, JsonNode get, Violations violations) {
    if (get.path("path").asText().isEmpty()) {
      violations.required(at + ".path");
    }
    violations.portOrName(at + ".port", get.path("port"));
    String scheme = get.path("scheme").asText();
    if (!List.of("HTTP", "HTTPS").contains(scheme)) {
      violations.notSupported(at + ".scheme", scheme, List.of("HTTP", "HTTPS"));
    }
    for (int i = 0; i < get.path("httpHeaders").size(); i++) {
      String name = get.path("httpHeaders").get(i).path("name").asText();
      if (!name.matches("[-A-Za-z0-9]+")) {
        violations.invalid(
            at + ".httpHeaders[" + i + "].name",
            name,
            "a valid HTTP header must consist of alphanumeric characters or '-' (e.g."
                + " 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')");
      }
    }
  }
}
