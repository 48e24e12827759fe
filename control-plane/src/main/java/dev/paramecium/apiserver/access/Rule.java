package dev.paramecium.apiserver.access;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** {@code rbac/v1 PolicyRule}: verbs on resources, or on paths. */
record Rule(
    List<String> verbs,
    List<String> groups,
    List<String> resources,
    List<String> names,
    List<String> paths) {

  private static final String ALL = "*";

  static Rule of(JsonNode json) {
    return new Rule(
        texts(json.path("verbs")),
        texts(json.path("apiGroups")),
        texts(json.path("resources")),
        texts(json.path("resourceNames")),
        texts(json.path("nonResourceURLs")));
  }

  static List<Rule> all(JsonNode rules) {
    List<Rule> all = new ArrayList<>();
    rules.forEach(rule -> all.add(of(rule)));
    return all;
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  /** {@code RuleAllows} of {@code plugin/pkg/auth/authorizer/rbac}. */
  boolean allows(Attributes wanted) {
    if (!has(verbs, wanted.verb())) {
      return false;
    }
    if (!wanted.isResource()) {
      return paths.stream().anyMatch(path -> matchesPath(path, wanted.path()));
    }
    return has(groups, wanted.group())
        && matchesResource(wanted)
        && (names.isEmpty() || names.contains(wanted.name()));
  }

  private static boolean has(List<String> list, String value) {
    return list.contains(ALL) || list.contains(value);
  }

  private boolean matchesResource(Attributes wanted) {
    return resources.contains(ALL)
        || resources.contains(wanted.fullResource())
        || !wanted.subresource().isEmpty() && resources.contains("*/" + wanted.subresource());
  }

  private static boolean matchesPath(String pattern, String path) {
    return pattern.equals(ALL)
        || pattern.equals(path)
        || pattern.endsWith(ALL) && path.startsWith(pattern.substring(0, pattern.length() - 1));
  }

  /** What it allows, one thing at a time, so that each can be asked for. */
  List<Attributes> parts(String namespace) {
    List<Attributes> parts = new ArrayList<>();
    for (String verb : verbs) {
      paths.forEach(path -> parts.add(Attributes.ofPath(verb, path)));
      for (String group : groups) {
        for (String resource : resources) {
          int slash = resource.indexOf('/');
          String plural = slash < 0 ? resource : resource.substring(0, slash);
          String part = slash < 0 ? "" : resource.substring(slash + 1);
          for (String name : names.isEmpty() ? List.of("") : names) {
            parts.add(new Attributes(verb, group, plural, part, namespace, name, ""));
          }
        }
      }
    }
    return parts;
  }

  /** As Kubernetes prints a rule in a refusal. */
  @Override
  public String toString() {
    List<String> fields = new ArrayList<>();
    add(fields, "NonResourceURLs", paths);
    add(fields, "APIGroups", groups);
    add(fields, "Resources", resources);
    add(fields, "ResourceNames", names);
    add(fields, "Verbs", verbs);
    return "{" + String.join(", ", fields) + "}";
  }

  private static void add(List<String> fields, String name, List<String> values) {
    if (!values.isEmpty()) {
      fields.add(name + ":[\"" + String.join("\" \"", values) + "\"]");
    }
  }
}
