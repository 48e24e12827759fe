package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.List;

/**
 * Roles and bindings ({@code pkg/apis/rbac/validation}): names with colons, rules that say all they
 * have to, subjects of three kinds, and a roleRef that stays as it was made.
 */
final class RbacRules implements ServedKind.Rules {

  private static final String GROUP = "rbac.authorization.k8s.io";

  @Override
  public void validateName(String name, Violations violations) {
    if (name.equals(".") || name.equals("..")) {
      violations.invalid("metadata.name", name, "may not be '" + name + "'");
    }
    for (String part : List.of("/", "%")) {
      if (name.contains(part)) {
        violations.invalid("metadata.name", name, "may not contain '" + part + "'");
      }
    }
  }

  @Override
  public void setDefaults(ObjectNode object) {
    if (object.path("roleRef").isObject()) {
      Defaults.text(object.withObject("/roleRef"), "apiGroup", GROUP);
    }
    Defaults.each(
        object,
        "subjects",
        subject -> {
          if (!subject.path("kind").asText().equals("ServiceAccount")) {
            Defaults.text(subject, "apiGroup", GROUP);
          }
        });
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    boolean ofCluster = object.kind().startsWith("Cluster");
    if (object.kind().endsWith("Binding")) {
      validateBinding(object, ofCluster, violations);
    } else {
      validateRules(object, ofCluster, violations);
    }
  }

  private static void validateRules(KubeObject role, boolean ofCluster, Violations violations) {
    for (int i = 0; i < role.at("/rules").size(); i++) {
      JsonNode rule = role.at("/rules").get(i);
      String at = "rules[" + i + "]";
      if (rule.path("verbs").isEmpty()) {
        violations.required(at + ".verbs", "verbs must contain at least one value");
      }
      if (!rule.path("nonResourceURLs").isEmpty()) {
        if (!ofCluster) {
          violations.invalid(
              at + ".nonResourceURLs",
              rule.path("nonResourceURLs"),
              "namespaced rules cannot apply to non-resource URLs");
        }
        if (!rule.path("apiGroups").isEmpty()
            || !rule.path("resources").isEmpty()
            || !rule.path("resourceNames").isEmpty()) {
          violations.invalid(
              at + ".nonResourceURLs",
              rule.path("nonResourceURLs"),
              "rules cannot apply to both regular resources and non-resource URLs");
        }
        continue;
      }
      if (rule.path("apiGroups").isEmpty()) {
        violations.required(at + ".apiGroups", "resource rules must supply at least one api group");
      }
      if (rule.path("resources").isEmpty()) {
        violations.required(at + ".resources", "resource rules must supply at least one resource");
      }
    }
  }

  private static void validateBinding(
      KubeObject binding, boolean ofCluster, Violations violations) {
    JsonNode roleRef = binding.at("/roleRef");
    if (!roleRef.path("apiGroup").asText().equals(GROUP)) {
      violations.notSupported(
          "roleRef.apiGroup", roleRef.path("apiGroup").asText(), List.of(GROUP));
    }
    List<String> kinds = ofCluster ? List.of("ClusterRole") : List.of("Role", "ClusterRole");
    if (!kinds.contains(roleRef.path("kind").asText())) {
      violations.notSupported("roleRef.kind", roleRef.path("kind").asText(), kinds);
    }
    if (roleRef.path("name").asText().isEmpty()) {
      violations.required("roleRef.name");
    }
    for (int i = 0; i < binding.at("/subjects").size(); i++) {
      JsonNode subject = binding.at("/subjects").get(i);
      String at = "subjects[" + i + "]";
      if (subject.path("name").asText().isEmpty()) {
        violations.required(at + ".name");
      }
      List<String> all = List.of("ServiceAccount", "User", "Group");
      String kind = subject.path("kind").asText();
      if (!all.contains(kind)) {
        violations.notSupported(at + ".kind", kind, all);
      }
      if (kind.equals("ServiceAccount")
          && ofCluster
          && subject.path("namespace").asText().isEmpty()) {
        violations.required(at + ".namespace");
      }
    }
  }

  @Override
  public void validateUpdate(KubeObject old, KubeObject now, Violations violations) {
    if (!old.at("/roleRef").equals(now.at("/roleRef"))) {
      violations.invalid("roleRef", now.at("/roleRef"), "cannot change roleRef");
    }
  }
}
