package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.scheduler.Quantity;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Fields of a pod and of its containers as the downward API gives them ({@code pkg/fieldpath},
 * {@code pkg/api/v1/resource}).
 *
 * @param podIp empty as long as it has none
 * @param nodeIp of its node
 * @param cpus of its node, for containers without a limit
 * @param memoryKi of its node
 */
record PodFields(KubeObject pod, String podIp, String nodeIp, int cpus, long memoryKi) {

  /**
   * {@code fieldRef}: a field as text; empty if the pod has it not.
   *
   * @throws IllegalArgumentException for a path that the downward API does not have
   */
  String field(String path) {
    if (path.endsWith("']") && path.contains("['")) {
      String key = path.substring(path.indexOf("['") + 2, path.length() - 2);
      String list = path.substring(0, path.indexOf("['"));
      if (list.equals("metadata.labels") || list.equals("metadata.annotations")) {
        return pod.json().path("metadata").path(list.substring(9)).path(key).asText();
      }
    }
    return switch (path) {
      case "metadata.name" -> pod.name();
      case "metadata.namespace" -> pod.namespace();
      case "metadata.uid" -> pod.uid();
      case "metadata.labels" -> lines(pod.at("/metadata/labels"));
      case "metadata.annotations" -> lines(pod.at("/metadata/annotations"));
      case "spec.nodeName" -> pod.text("/spec/nodeName");
      case "spec.serviceAccountName" -> {
        String name = pod.text("/spec/serviceAccountName");
        yield name.isEmpty() ? "default" : name;
      }
      case "status.podIP", "status.podIPs" -> podIp;
      case "status.hostIP", "status.hostIPs" -> nodeIp;
      default ->
          throw new IllegalArgumentException(
              "unsupported fieldPath: " + path + ": see kubectl explain pod for what there is");
    };
  }

  /** {@code key="value"} on a line for each, sorted. */
  private static String lines(JsonNode values) {
    Map<String, String> sorted = new TreeMap<>();
    values.properties().forEach(entry -> sorted.put(entry.getKey(), entry.getValue().asText()));
    StringBuilder text = new StringBuilder();
    sorted.forEach(
        (key, value) ->
            text.append(text.isEmpty() ? "" : "\n")
                .append(key)
                .append("=\"")
                .append(value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n"))
                .append('"'));
    return text.toString();
  }

  /**
   * {@code resourceFieldRef}: a limit or a request of a container in units of its divisor, rounded
   * up; a limit that is not set is what the node has.
   */
  String resource(JsonNode reference, JsonNode container) {
    String resource = reference.path("resource").asText(); // limits.cpu
    String name = reference.path("containerName").asText();
    JsonNode of = name.isEmpty() ? container : containerNamed(name);
    String kind = resource.substring(resource.indexOf('.') + 1);
    String amount = of.at("/resources/" + resource.replace('.', '/')).asText();
    if (amount.isEmpty() && resource.startsWith("limits.")) {
      amount = kind.equals("cpu") ? Integer.toString(cpus) : memoryKi + "Ki";
    }
    String divisor = reference.path("divisor").asText();
    long unit = divisor.isEmpty() || divisor.equals("0") ? 1000 : Quantity.milli(divisor);
    return Long.toString(Math.ceilDiv(Quantity.milli(amount), Math.max(1, unit)));
  }

  private JsonNode containerNamed(String name) {
    for (JsonNode container : pod.at("/spec/containers")) {
      if (container.path("name").asText().equals(name)) {
        return container;
      }
    }
    throw new IllegalArgumentException(String.format(Locale.ROOT, "container %s not found", name));
  }
}
