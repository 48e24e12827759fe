package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;

/**
 * {@code v1/Namespace}: named by a label, active until it is deleted, labelled with its own name.
 */
final class NamespaceRules implements ServedKind.Rules {

  @Override
  public void setDefaults(ObjectNode object) {
    String name = object.path("metadata").path("name").asText();
    object.withObject("/metadata/labels").put("kubernetes.io/metadata.name", name);
    if (object.path("status").path("phase").asText().isEmpty()) {
      object.withObject("/status").put("phase", "Active");
    }
    if (!object.path("spec").has("finalizers")) {
      object.withObject("/spec").putArray("finalizers").add("kubernetes");
    }
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    violations.label("metadata.name", object.name());
  }
}
