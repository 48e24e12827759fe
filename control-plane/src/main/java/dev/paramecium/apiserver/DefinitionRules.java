package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** {@code apiextensions.k8s.io/v1/CustomResourceDefinition}: served as soon as it is stored. */
final class DefinitionRules implements ServedKind.Rules {

  @Override
  public void setDefaults(ObjectNode object) {
    ObjectNode spec = object.withObject("/spec");
    ObjectNode names = Defaults.object(spec, "names");
    String kind = names.path("kind").asText();
    Defaults.text(names, "singular", kind.toLowerCase(Locale.ROOT));
    Defaults.text(names, "listKind", kind + "List");
    Defaults.text(Defaults.object(spec, "conversion"), "strategy", "None");
    ObjectNode status = Defaults.object(object, "status");
    status.set("acceptedNames", names.deepCopy());
    if (status.path("storedVersions").isEmpty()) {
      ArrayNode stored = status.putArray("storedVersions");
      for (JsonNode version : spec.path("versions")) {
        if (version.path("storage").asBoolean()) {
          stored.add(version.path("name").asText());
        }
      }
    }
    if (status.path("conditions").isEmpty()) {
      ArrayNode conditions = status.putArray("conditions");
      String since = object.path("metadata").path("creationTimestamp").asText();
      condition(conditions, "NamesAccepted", "NoConflicts", "no conflicts found", since);
      condition(
          conditions,
          "Established",
          "InitialNamesAccepted",
          "the initial names have been accepted",
          since);
    }
  }

  private static void condition(
      ArrayNode conditions, String type, String reason, String message, String since) {
    conditions
        .addObject()
        .put("type", type)
        .put("status", "True")
        .put("lastTransitionTime", since)
        .put("reason", reason)
        .put("message", message);
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    JsonNode spec = object.at("/spec");
    String group = spec.path("group").asText();
    String plural = spec.path("names").path("plural").asText();
    if (group.isEmpty()) {
      violations.required("spec.group");
    } else if (!group.contains(".")) {
      violations.invalid("spec.group", group, "should be a domain with at least one dot");
    }
    for (String name : List.of("plural", "kind")) {
      if (spec.path("names").path(name).asText().isEmpty()) {
        violations.required("spec.names." + name);
      }
    }
    if (!object.name().equals(plural + "." + group)) {
      violations.invalid(
          "metadata.name", object.name(), "must be spec.names.plural+\".\"+spec.group");
    }
    String scope = spec.path("scope").asText();
    if (!List.of("Cluster", "Namespaced").contains(scope)) {
      violations.notSupported("spec.scope", scope, List.of("Cluster", "Namespaced"));
    }
    if (!spec.path("conversion").path("strategy").asText().equals("None")) {
      violations.notSupported(
          "spec.conversion.strategy",
          spec.path("conversion").path("strategy").asText(),
          List.of("None"));
    }
    int storages = 0;
    List<String> versions = new ArrayList<>();
    for (int i = 0; i < spec.path("versions").size(); i++) {
      JsonNode version = spec.path("versions").get(i);
      String at = "spec.versions[" + i + "]";
      storages += version.path("storage").asBoolean() ? 1 : 0;
      String name = version.path("name").asText();
      violations.dnsLabel1035(at + ".name", name);
      if (versions.contains(name)) {
        violations.duplicate(at + ".name", name);
      }
      versions.add(name);
      JsonNode schema = version.path("schema").path("openAPIV3Schema");
      if (!schema.isObject()) {
        violations.required(at + ".schema.openAPIV3Schema", "schemas are required");
      } else if (!schema.path("type").asText().equals("object")) {
        violations.invalid(
            at + ".schema.openAPIV3Schema.type",
            schema.path("type").asText(),
            "must be object at the root");
      } else {
        validateStructure(at + ".schema.openAPIV3Schema", schema, violations);
      }
    }
    if (storages != 1) {
      violations.invalid(
          "spec.versions",
          Integer.toString(versions.size()),
          "must have exactly one version marked as storage version");
    }
  }

  /** A structural schema says of every value what type it is. */
  private static void validateStructure(String at, JsonNode schema, Violations violations) {
    boolean free =
        schema.path("x-kubernetes-int-or-string").asBoolean()
            || schema.path("x-kubernetes-preserve-unknown-fields").asBoolean();
    if (schema.path("type").asText().isEmpty() && !free) {
      violations.required(at + ".type", "must not be empty for specified object fields");
    }
    String pattern = schema.path("pattern").asText();
    try {
      Pattern.compile(pattern);
    } catch (PatternSyntaxException e) {
      violations.invalid(
          at + ".pattern",
          pattern,
          "must be a valid regular expression, but isn't: " + e.getMessage());
    }
    schema
        .path("properties")
        .properties()
        .forEach(
            property ->
                validateStructure(
                    at + ".properties[" + property.getKey() + "]",
                    property.getValue(),
                    violations));
    if (schema.path("additionalProperties").isObject()) {
      validateStructure(
          at + ".additionalProperties", schema.path("additionalProperties"), violations);
    }
    if (schema.path("type").asText().equals("array")) {
      if (schema.path("items").isObject()) {
        validateStructure(at + ".items", schema.path("items"), violations);
      } else {
        violations.required(at + ".items", "must be specified");
      }
    }
  }
}
