package dev.paramecium.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.util.Map;
import java.util.TreeMap;

/**
 * Amounts by resource name: {@code cpu} in thousandths of a CPU, everything else in whole units.
 */
record Resources(Map<String, Long> amounts) {

  Resources {
    amounts = Map.copyOf(amounts);
  }

  private static Resources of(JsonNode list) {
    Map<String, Long> amounts = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : list.properties()) {
      amounts.put(entry.getKey(), amount(entry.getKey(), entry.getValue().asText()));
    }
    return new Resources(amounts);
  }

  private static long amount(String resource, String quantity) {
    return resource.equals("cpu") ? Quantity.milli(quantity) : Quantity.value(quantity);
  }

  /** What a node has for pods: allocatable, or capacity where the kubelet says nothing else. */
  static Resources ofNode(KubeObject node) {
    JsonNode allocatable = node.at("/status/allocatable");
    return of(allocatable.isObject() ? allocatable : node.at("/status/capacity"));
  }

  /**
   * What a pod asks for: its containers together, or its hungriest init container, and its
   * overhead.
   */
  static Resources ofPod(KubeObject pod) {
    Map<String, Long> sum = new TreeMap<>();
    for (JsonNode container : pod.at("/spec/containers")) {
      requested(container).amounts().forEach((name, n) -> sum.merge(name, n, Resources::add));
    }
    for (JsonNode container : pod.at("/spec/initContainers")) {
      requested(container).amounts().forEach((name, n) -> sum.merge(name, n, Math::max));
    }
    of(pod.at("/spec/overhead")).amounts().forEach((name, n) -> sum.merge(name, n, Resources::add));
    return new Resources(sum);
  }

  /** A limit without a request is one. */
  private static Resources requested(JsonNode container) {
    Map<String, Long> amounts = new TreeMap<>(of(container.at("/resources/limits")).amounts());
    amounts.putAll(of(container.at("/resources/requests")).amounts());
    return new Resources(amounts);
  }

  long of(String resource) {
    return amounts.getOrDefault(resource, 0L);
  }

  Resources plus(Resources other) {
    Map<String, Long> sum = new TreeMap<>(amounts);
    other.amounts().forEach((name, n) -> sum.merge(name, n, Resources::add));
    return new Resources(sum);
  }

  /** Saturating: a request of the largest number stays one. */
  private static long add(long a, long b) {
    long sum = a + b;
    return sum < 0 ? Long.MAX_VALUE : sum;
  }
}
