package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.LabelSelector;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.ObjectCache;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which running pods an experiment is about: {@code selector}, then {@code mode} and {@code value}
 * ({@code pkg/selector} of Chaos Mesh). Chance follows from the experiment's uid.
 */
final class PodSelector {

  private PodSelector() {}

  /**
   * @param chaos whose namespace is meant where the selector names none
   * @param part where {@code selector}, {@code mode} and {@code value} stand: the spec, or its
   *     target
   */
  static List<KubeObject> choose(KubeObject chaos, JsonNode part, ObjectCache cache) {
    List<KubeObject> matching =
        cache.all(ResourceType.POD).stream()
            .filter(PodSelector::isRunning)
            .filter(pod -> matches(chaos, part.path("selector"), pod, cache))
            .toList();
    return some(matching, part, new Random(chaos.uid().hashCode()));
  }

  private static boolean isRunning(KubeObject pod) {
    return pod.text("/status/phase").equals("Running")
        && !pod.text("/status/podIP").isEmpty()
        && !pod.at("/metadata/deletionTimestamp").isTextual();
  }

  private static boolean matches(
      KubeObject chaos, JsonNode selector, KubeObject pod, ObjectCache cache) {
    JsonNode named = selector.path("pods");
    if (!named.isEmpty()) {
      return contains(named.path(pod.namespace()), pod.name());
    }
    JsonNode namespaces = selector.path("namespaces");
    boolean inNamespace =
        namespaces.isEmpty()
            ? pod.namespace().equals(chaos.namespace())
            : contains(namespaces, pod.namespace());
    String node = pod.text("/spec/nodeName");
    return inNamespace
        && LabelSelector.containsAll(pod.labels(), selector.path("labelSelectors"))
        && LabelSelector.containsAll(annotations(pod), selector.path("annotationSelectors"))
        && expressionsHold(selector, pod.labels())
        && fieldsHold(selector.path("fieldSelectors"), pod)
        && (selector.path("nodes").isEmpty() || contains(selector.path("nodes"), node))
        && nodeHas(selector.path("nodeSelectors"), node, cache)
        && (selector.path("podPhaseSelectors").isEmpty()
            || contains(selector.path("podPhaseSelectors"), pod.text("/status/phase")));
  }

  private static boolean contains(JsonNode values, String value) {
    for (JsonNode one : values) {
      if (one.asText().equals(value)) {
        return true;
      }
    }
    return false;
  }

  private static Map<String, String> annotations(KubeObject pod) {
    Map<String, String> annotations = new TreeMap<>();
    pod.at("/metadata/annotations")
        .properties()
        .forEach(entry -> annotations.put(entry.getKey(), entry.getValue().asText()));
    return annotations;
  }

  private static boolean expressionsHold(JsonNode selector, Map<String, String> labels) {
    for (JsonNode expression : selector.path("expressionSelectors")) {
      if (!LabelSelector.isMet(expression, labels.get(expression.path("key").asText()))) {
        return false;
      }
    }
    return true;
  }

  /** The fields by which the API server selects pods. */
  private static boolean fieldsHold(JsonNode fields, KubeObject pod) {
    for (Map.Entry<String, JsonNode> field : fields.properties()) {
      if (!pod.text("/" + field.getKey().replace('.', '/')).equals(field.getValue().asText())) {
        return false;
      }
    }
    return true;
  }

  private static boolean nodeHas(JsonNode wanted, String name, ObjectCache cache) {
    if (wanted.isEmpty()) {
      return true;
    }
    KubeObject node = cache.get(ResourceType.NODE, "", name);
    return node != null && LabelSelector.containsAll(node.labels(), wanted);
  }

  /** {@code mode}: how many of those that match. */
  private static List<KubeObject> some(List<KubeObject> matching, JsonNode part, Random random) {
    int all = matching.size();
    int value = part.path("value").asInt();
    int count =
        switch (part.path("mode").asText()) {
          case "one" -> 1;
          case "fixed" -> value;
          case "fixed-percent" -> all * value / 100;
          case "random-max-percent" -> all * random.nextInt(value + 1) / 100;
          default -> all;
        };
    if (count >= all) {
      return matching;
    }
    List<KubeObject> shuffled = new ArrayList<>(matching);
    Collections.shuffle(shuffled, random);
    Set<String> chosen = new HashSet<>();
    shuffled.stream().limit(count).forEach(pod -> chosen.add(pod.uid()));
    return matching.stream().filter(pod -> chosen.contains(pod.uid())).toList();
  }
}
