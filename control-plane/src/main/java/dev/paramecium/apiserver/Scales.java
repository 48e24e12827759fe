package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;

/** The {@code scale} subresource: an object seen as {@code autoscaling/v1 Scale}. */
public final class Scales {

  private Scales() {}

  /** How many replicas an object wants and has, and how they are selected. */
  public static ObjectNode of(ServedKind kind, KubeObject object) {
    ObjectNode scale = JsonNodeFactory.instance.objectNode();
    scale.put("kind", "Scale").put("apiVersion", "autoscaling/v1");
    ObjectNode metadata = scale.putObject("metadata");
    for (String field :
        new String[] {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
      JsonNode value = object.at("/metadata").path(field);
      if (!value.isMissingNode()) {
        metadata.set(field, value);
      }
    }
    scale.putObject("spec").put("replicas", object.at(kind.scale().specReplicas()).asInt());
    ObjectNode status = scale.putObject("status");
    status.put("replicas", object.at(kind.scale().statusReplicas()).asInt());
    if (!kind.scale().selector().isEmpty()) {
      JsonNode selector = object.at(kind.scale().selector());
      if (selector.isTextual()) {
        status.put("selector", selector.asText());
      } else if (!selector.isEmpty()) {
        status.put("selector", WorkloadColumns.selectorText(selector));
      }
    }
    return scale;
  }

  /**
   * The object as a changed scale wants it.
   *
   * @throws StatusException 422 if the number of replicas is none
   */
  static ObjectNode applied(ServedKind kind, KubeObject object, JsonNode scale)
      throws StatusException {
    JsonNode replicas = scale.path("spec").path("replicas");
    if (!replicas.isMissingNode() && (!replicas.canConvertToInt() || replicas.asInt() < 0)) {
      Violations violations = new Violations();
      violations.invalid("spec.replicas", replicas, "must be greater than or equal to 0");
      throw StatusException.invalid(kind, object.name(), violations);
    }
    ObjectNode next = object.copy().json();
    String pointer = kind.scale().specReplicas();
    int slash = pointer.lastIndexOf('/');
    ObjectNode parent = slash == 0 ? next : next.withObject(pointer.substring(0, slash));
    parent.put(pointer.substring(slash + 1), replicas.asInt());
    JsonNode version = scale.path("metadata").path("resourceVersion");
    if (version.isTextual()) {
      next.withObject("/metadata").set("resourceVersion", version);
    }
    return next;
  }
}
