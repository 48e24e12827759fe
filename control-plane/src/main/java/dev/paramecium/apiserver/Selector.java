package dev.paramecium.apiserver;

import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Label and field selectors in Kubernetes' query syntax ({@code
 * apimachinery/pkg/labels/selector.go}, {@code fields/selector.go}).
 */
final class Selector {

  private static final Pattern SET =
      Pattern.compile("\\s*([^\\s!=,()]+)\\s+(in|notin)\\s*\\(([^()]*)\\)\\s*");
  private static final Pattern EQUALITY =
      Pattern.compile("\\s*([^\\s!=,()]+)\\s*(==|=|!=)\\s*([^\\s!=,()]*)\\s*");
  private static final Pattern EXISTS = Pattern.compile("\\s*(!?)\\s*([^\\s!=,()]+)\\s*");
  private static final Pattern NAME =
      Pattern.compile(
          "([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?");

  /** The fields that a field selector may name, by kind, besides name and namespace. */
  private static final Map<String, Set<String>> FIELDS =
      Map.of(
          "Pod",
          Set.of(
              "spec.nodeName",
              "spec.restartPolicy",
              "spec.schedulerName",
              "spec.serviceAccountName",
              "spec.hostNetwork",
              "status.phase",
              "status.podIP",
              "status.nominatedNodeName"),
          "Node",
          Set.of("spec.unschedulable"),
          "Namespace",
          Set.of("status.phase"),
          "Event",
          Set.of(
              "involvedObject.kind",
              "involvedObject.namespace",
              "involvedObject.name",
              "involvedObject.uid",
              "involvedObject.apiVersion",
              "involvedObject.resourceVersion",
              "involvedObject.fieldPath",
              "reason",
              "reportingComponent",
              "source.component",
              "type"),
          "Secret",
          Set.of("type"),
          "ReplicaSet",
          Set.of("status.replicas"),
          "Job",
          Set.of("status.successful"));

  /** Selects every object. */
  static final Selector EVERYTHING = new Selector(_ -> true);

  private final Predicate<KubeObject> predicate;

  private Selector(Predicate<KubeObject> predicate) {
    this.predicate = predicate;
  }

  boolean matches(KubeObject object) {
    return predicate.test(object);
  }

  /**
   * Parses both selectors; empty ones match everything.
   *
   * @throws StatusException 400 naming the requirement that cannot be read
   */
  static Selector parse(ResourceType type, String labels, String fields) throws StatusException {
    List<Predicate<KubeObject>> all = new ArrayList<>();
    for (String requirement : split(labels)) {
      all.add(label(requirement));
    }
    for (String requirement : split(fields)) {
      all.add(field(type, requirement));
    }
    return new Selector(object -> all.stream().allMatch(one -> one.test(object)));
  }

  /** Splits at commas outside parentheses. */
  private static List<String> split(String selector) {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    int start = 0;
    for (int i = 0; i <= selector.length(); i++) {
      char c = i < selector.length() ? selector.charAt(i) : ',';
      if (c == '(') {
        depth++;
      } else if (c == ')') {
        depth--;
      } else if (c == ',' && (depth <= 0 || i == selector.length())) {
        if (!selector.substring(start, i).isBlank()) {
          parts.add(selector.substring(start, i));
        }
        start = i + 1;
      }
    }
    return parts;
  }

  private static Predicate<KubeObject> label(String requirement) throws StatusException {
    Matcher set = SET.matcher(requirement);
    if (set.matches()) {
      String key = labelName(set.group(1), requirement);
      Set<String> values =
          Set.copyOf(
              List.of(set.group(3).trim().split("\\s*,\\s*", -1)).stream().distinct().toList());
      boolean in = set.group(2).equals("in");
      return object -> {
        String value = object.labels().get(key);
        return in
            ? value != null && values.contains(value)
            : value == null || !values.contains(value);
      };
    }
    Matcher equality = EQUALITY.matcher(requirement);
    if (equality.matches()) {
      String key = labelName(equality.group(1), requirement);
      String wanted = equality.group(3);
      boolean equal = !equality.group(2).equals("!=");
      return object -> wanted.equals(object.labels().get(key)) == equal;
    }
    Matcher exists = EXISTS.matcher(requirement);
    if (exists.matches()) {
      String key = labelName(exists.group(2), requirement);
      boolean wanted = exists.group(1).isEmpty();
      return object -> object.labels().containsKey(key) == wanted;
    }
    throw StatusException.badRequest(
        "unable to parse requirement: \"" + requirement + "\" is not a label selector");
  }

  private static String labelName(String key, String requirement) throws StatusException {
    if (!NAME.matcher(key).matches()) {
      throw StatusException.badRequest(
          "unable to parse requirement: <nil>: Invalid value: \""
              + key
              + "\": name part must consist of alphanumeric characters, '-', '_' or '.' (in \""
              + requirement
              + "\")");
    }
    return key;
  }

  private static Predicate<KubeObject> field(ResourceType type, String requirement)
      throws StatusException {
    Matcher equality = EQUALITY.matcher(requirement);
    if (!equality.matches()) {
      throw StatusException.badRequest(
          "invalid selector: '" + requirement + "'; can't understand '" + requirement + "'");
    }
    String path = equality.group(1);
    if (!Set.of("metadata.name", "metadata.namespace").contains(path)
        && !FIELDS.getOrDefault(type.kind(), Set.of()).contains(path)) {
      throw StatusException.badRequest("field label not supported: " + path);
    }
    String pointer = "/" + path.replace('.', '/');
    String wanted = equality.group(3);
    boolean equal = !equality.group(2).equals("!=");
    return object -> object.text(pointer).equals(wanted) == equal;
  }
}
