package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.time.Instant;

/** The {@code binding} subresource: a scheduler gives a pod to a node. */
final class Bindings {

  private Bindings() {}

  /**
   * The pod, given to the node that the binding names.
   *
   * @throws StatusException 409 if it has a node
   */
  static ObjectNode bound(ServedKind kind, KubeObject pod, JsonNode binding, Instant now)
      throws StatusException {
    String node = binding.path("target").path("name").asText();
    if (node.isEmpty()) {
      throw StatusException.badRequest("target.name: Required value");
    }
    String before = pod.text("/spec/nodeName");
    if (!before.isEmpty()) {
      throw StatusException.conflict(
          kind.qualifiedPlural(),
          pod.name(),
          "pod " + pod.name() + " is already assigned to node \"" + before + "\"");
    }
    ObjectNode bound = pod.copy().json();
    bound.withObject("/spec").put("nodeName", node);
    ObjectNode status = bound.withObject("/status");
    ArrayNode conditions =
        status.get("conditions") instanceof ArrayNode there ? there : status.putArray("conditions");
    for (int i = conditions.size() - 1; i >= 0; i--) {
      if (conditions.get(i).path("type").asText().equals("PodScheduled")) {
        conditions.remove(i);
      }
    }
    conditions
        .addObject()
        .put("type", "PodScheduled")
        .put("status", "True")
        .put("lastTransitionTime", now.toString());
    return bound;
  }
}
