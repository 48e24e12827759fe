package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.paramecium.api.KubeObject;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A custom kind's defaults and checks, as its schema says ({@code
 * apiextensions-apiserver/pkg/apiserver/validation}).
 */
class CustomRules implements ServedKind.Rules {

  private final JsonNode schema;

  CustomRules(JsonNode schema) {
    this.schema = schema;
  }

  @Override
  public void setDefaults(ObjectNode object) {
    dropNulls(schema, object);
    setDefaults(schema, object);
  }

  /** A null that the schema does not know, and has no default for, counts as not written. */
  private static void dropNulls(JsonNode schema, JsonNode value) {
    if (value instanceof ObjectNode object) {
      for (Map.Entry<String, JsonNode> field : List.copyOf(object.properties())) {
        JsonNode property = schema.path("properties").path(field.getKey());
        if (property.isMissingNode()) {
          property = schema.path("additionalProperties");
        }
        if (field.getValue().isNull()
            && property.isObject()
            && !property.path("nullable").asBoolean()
            && !property.has("default")) {
          object.remove(field.getKey());
        } else {
          dropNulls(property, field.getValue());
        }
      }
    } else if (value instanceof ArrayNode list) {
      list.forEach(element -> dropNulls(schema.path("items"), element));
    }
  }

  private static void setDefaults(JsonNode schema, JsonNode value) {
    if (value instanceof ObjectNode object) {
      for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
        String name = property.getKey();
        JsonNode given = property.getValue().path("default");
        boolean nullable = property.getValue().path("nullable").asBoolean();
        if (!given.isMissingNode()
            && (!object.has(name) || object.path(name).isNull() && !nullable)) {
          object.set(name, given.deepCopy());
        }
        if (object.has(name)) {
          setDefaults(property.getValue(), object.path(name));
        }
      }
      if (schema.path("additionalProperties").isObject()) {
        object.forEach(element -> setDefaults(schema.path("additionalProperties"), element));
      }
    } else if (value instanceof ArrayNode list) {
      list.forEach(element -> setDefaults(schema.path("items"), element));
    }
  }

  @Override
  public void validate(KubeObject object, Violations violations) {
    ObjectNode own = object.json().deepCopy();
    own.remove(List.of("apiVersion", "kind", "metadata"));
    validate(schema, own, "", violations);
  }

  private static void validate(JsonNode schema, JsonNode value, String at, Violations violations) {
    if (value.isNull() && schema.path("nullable").asBoolean()) {
      return;
    }
    if (!isOfType(schema, value)) {
      violations.invalid(
          at,
          typeName(value),
          at + " in body must be of type " + wanted(schema) + ": \"" + typeName(value) + "\"");
      return;
    }
    checkEnum(schema, value, at, violations);
    if (value.isTextual()) {
      checkText(schema, value, at, violations);
    } else if (value.isNumber()) {
      checkNumber(schema, value, at, violations);
    } else if (value.isArray()) {
      checkCount(schema, "Items", value, at, violations);
      checkUnique(schema, value, at, violations);
      for (int i = 0; i < value.size(); i++) {
        validate(schema.path("items"), value.get(i), at + "[" + i + "]", violations);
      }
    } else if (value.isObject()) {
      checkCount(schema, "Properties", value, at, violations);
      checkFields(schema, value, at, violations);
    }
    checkCombinations(schema, value, at, violations);
  }

  private static boolean isOfType(JsonNode schema, JsonNode value) {
    if (schema.path("x-kubernetes-int-or-string").asBoolean()) {
      return value.isTextual() || value.isIntegralNumber();
    }
    return switch (schema.path("type").asText()) {
      case "string" -> value.isTextual();
      case "integer" -> value.isIntegralNumber();
      case "number" -> value.isNumber();
      case "boolean" -> value.isBoolean();
      case "array" -> value.isArray();
      case "object" -> value.isObject();
      default -> true;
    };
  }

  private static String wanted(JsonNode schema) {
    return schema.path("x-kubernetes-int-or-string").asBoolean()
        ? "integer,string"
        : schema.path("type").asText();
  }

  private static String typeName(JsonNode value) {
    return switch (value.getNodeType()) {
      case STRING -> "string";
      case NUMBER -> value.isIntegralNumber() ? "integer" : "number";
      case BOOLEAN -> "boolean";
      case ARRAY -> "array";
      case OBJECT, POJO -> "object";
      case BINARY, MISSING, NULL -> "null";
    };
  }

  private static void checkEnum(JsonNode schema, JsonNode value, String at, Violations violations) {
    if (schema.path("enum").isEmpty()) {
      return;
    }
    for (JsonNode allowed : schema.path("enum")) {
      if (allowed.equals(value)) {
        return;
      }
    }
    violations.notSupported(at, value.asText(), CoreColumns.texts(schema.path("enum")));
  }

  private static void checkText(JsonNode schema, JsonNode value, String at, Violations violations) {
    String text = value.textValue();
    int length = text.codePointCount(0, text.length());
    if (schema.has("maxLength") && length > schema.path("maxLength").asInt()) {
      violations.invalid(
          at, value, at + " in body should be at most " + schema.path("maxLength") + " chars long");
    }
    if (schema.has("minLength") && length < schema.path("minLength").asInt()) {
      violations.invalid(
          at,
          value,
          at + " in body should be at least " + schema.path("minLength") + " chars long");
    }
    String pattern = schema.path("pattern").asText();
    if (!pattern.isEmpty() && !matches(pattern, text)) {
      violations.invalid(at, value, at + " in body should match '" + pattern + "'");
    }
  }

  private static boolean matches(String pattern, String text) {
    try {
      return Pattern.compile(pattern).matcher(text).find();
    } catch (PatternSyntaxException e) {
      return true; // DefinitionRules refuses such a pattern: this definition is older than they are
    }
  }

  private static void checkNumber(
      JsonNode schema, JsonNode value, String at, Violations violations) {
    double number = value.asDouble();
    if (schema.has("minimum")) {
      double minimum = schema.path("minimum").asDouble();
      boolean exclusive = schema.path("exclusiveMinimum").asBoolean();
      if (number < minimum || exclusive && number == minimum) {
        violations.invalid(
            at,
            value,
            at
                + " in body should be greater than "
                + (exclusive ? "" : "or equal to ")
                + schema.path("minimum"));
      }
    }
    if (schema.has("maximum")) {
      double maximum = schema.path("maximum").asDouble();
      boolean exclusive = schema.path("exclusiveMaximum").asBoolean();
      if (number > maximum || exclusive && number == maximum) {
        violations.invalid(
            at,
            value,
            at
                + " in body should be less than "
                + (exclusive ? "" : "or equal to ")
                + schema.path("maximum"));
      }
    }
    if (schema.has("multipleOf") && number % schema.path("multipleOf").asDouble() != 0) {
      violations.invalid(
          at, value, at + " in body should be a multiple of " + schema.path("multipleOf"));
    }
  }

  private static void checkCount(
      JsonNode schema, String what, JsonNode value, String at, Violations violations) {
    String word = what.toLowerCase(java.util.Locale.ROOT);
    if (schema.has("max" + what) && value.size() > schema.path("max" + what).asInt()) {
      violations.invalid(
          at,
          Integer.toString(value.size()),
          "must have at most " + schema.path("max" + what) + " " + word);
    }
    if (schema.has("min" + what) && value.size() < schema.path("min" + what).asInt()) {
      violations.invalid(
          at,
          Integer.toString(value.size()),
          at + " in body should have at least " + schema.path("min" + what) + " " + word);
    }
  }

  private static void checkUnique(
      JsonNode schema, JsonNode list, String at, Violations violations) {
    String type = schema.path("x-kubernetes-list-type").asText();
    if (!type.equals("set") && !type.equals("map")) {
      return;
    }
    Set<Object> seen = new HashSet<>();
    for (int i = 0; i < list.size(); i++) {
      JsonNode element = list.get(i);
      Object key =
          type.equals("set")
              ? element.asText()
              : CoreColumns.texts(schema.path("x-kubernetes-list-map-keys")).stream()
                  .map(element::path)
                  .toList();
      if (!seen.add(key)) {
        violations.duplicate(at + "[" + i + "]", key.toString());
      }
    }
  }

  private static void checkFields(
      JsonNode schema, JsonNode value, String at, Violations violations) {
    String prefix = at.isEmpty() ? "" : at + ".";
    for (JsonNode name : schema.path("required")) {
      if (!value.has(name.asText()) && !(at.isEmpty() && name.asText().equals("metadata"))) {
        violations.required(prefix + name.asText());
      }
    }
    for (Map.Entry<String, JsonNode> field : value.properties()) {
      JsonNode property = schema.path("properties").path(field.getKey());
      if (property.isMissingNode() && schema.path("additionalProperties").isObject()) {
        property = schema.path("additionalProperties");
      }
      if (property.isObject()) {
        validate(property, field.getValue(), prefix + field.getKey(), violations);
      }
    }
  }

  private static void checkCombinations(
      JsonNode schema, JsonNode value, String at, Violations violations) {
    for (JsonNode one : schema.path("allOf")) {
      validate(one, value, at, violations);
    }
    if (!schema.path("anyOf").isEmpty() && matching(schema.path("anyOf"), value, at) == 0) {
      violations.invalid(at, value, at + " in body must validate at least one schema (anyOf)");
    }
    if (!schema.path("oneOf").isEmpty() && matching(schema.path("oneOf"), value, at) != 1) {
      violations.invalid(at, value, at + " in body must validate one and only one schema (oneOf)");
    }
    if (schema.path("not").isObject()) {
      Violations inside = new Violations();
      validate(schema.path("not"), value, at, inside);
      if (inside.isEmpty()) {
        violations.invalid(at, value, at + " in body must not validate the schema (not)");
      }
    }
  }

  private static int matching(JsonNode schemas, JsonNode value, String at) {
    int matching = 0;
    for (JsonNode schema : schemas) {
      Violations inside = new Violations();
      validate(schema, value, at, inside);
      matching += inside.isEmpty() ? 1 : 0;
    }
    return matching;
  }
}
