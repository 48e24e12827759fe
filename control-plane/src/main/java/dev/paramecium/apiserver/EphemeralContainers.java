package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The {@code ephemeralcontainers} subresource, by which {@code kubectl debug} adds a container to a
 * pod that runs ({@code podEphemeralContainersStrategy}, {@code pkg/registry/core/pod}).
 */
final class EphemeralContainers {

  static final String SUBRESOURCE = "ephemeralcontainers";
  static final String FIELD = "ephemeralContainers";

  /** What only makes sense of a container that is started again, or that others talk to. */
  private static final List<String> NOT_ALLOWED =
      List.of("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources");

  private EphemeralContainers() {}

  /** The pod with the ephemeral containers of {@code asked}, of which nothing else counts. */
  static ObjectNode applied(KubeObject pod, ObjectNode asked) {
    ObjectNode applied = pod.copy().json();
    JsonNode containers = asked.at("/spec/" + FIELD);
    if (containers.isArray()) {
      applied.withObject("/spec").set(FIELD, containers.deepCopy());
    } else {
      applied.withObject("/spec").remove(FIELD);
    }
    return applied;
  }

  /** Collects what an ephemeral container must not have, beyond the rules of any container. */
  static void validate(JsonNode spec, Violations violations) {
    Set<String> others = new HashSet<>();
    for (String list : List.of("initContainers", "containers")) {
      spec.path(list).forEach(container -> others.add(container.path("name").asText()));
    }
    JsonNode containers = spec.path(FIELD);
    for (int i = 0; i < containers.size(); i++) {
      JsonNode container = containers.get(i);
      String at = "spec." + FIELD + "[" + i + "]";
      for (String field : NOT_ALLOWED) {
        if (!container.path(field).isEmpty()) {
          violations.forbidden(at + "." + field, "cannot be set for an Ephemeral Container");
        }
      }
      String target = container.path("targetContainerName").asText();
      if (!target.isEmpty() && !others.contains(target)) {
        violations.notFound(at + ".targetContainerName", target);
      }
    }
  }

  /** Collects ephemeral containers that were there and have been changed or left out. */
  static void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
    for (JsonNode before : old.at("/spec/" + FIELD)) {
      String name = before.path("name").asText();
      JsonNode after = null;
      for (JsonNode container : now.at("/spec/" + FIELD)) {
        if (container.path("name").asText().equals(name)) {
          after = container;
        }
      }
      if (!before.equals(after)) {
        violations.forbidden(
            "spec." + FIELD,
            "existing ephemeral containers \""
                + name
                + "\" may not be "
                + (after == null ? "removed" : "changed"));
      }
    }
  }
}
