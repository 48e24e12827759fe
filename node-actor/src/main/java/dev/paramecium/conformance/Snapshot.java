package dev.paramecium.conformance;

import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.map.CiliumMaps;
import java.util.HashMap;
import java.util.Map;

/**
 * Counters as they stand.
 *
 * @param policy by endpoint name and key
 */
record Snapshot(
    Map<MetricsKey, MetricsValue> metrics, Map<String, Map<PolicyKey, PolicyEntry>> policy) {

  static Snapshot of(CiliumMaps maps, Map<String, Replay.Endpoint> endpoints) {
    Map<MetricsKey, MetricsValue> metrics = new HashMap<>();
    maps.metrics()
        .map()
        .forEach((key, value) -> metrics.put(MetricsKey.decode(key), MetricsValue.decode(value)));
    Map<String, Map<PolicyKey, PolicyEntry>> policy = new HashMap<>();
    endpoints.forEach(
        (name, endpoint) -> {
          Map<PolicyKey, PolicyEntry> entries = new HashMap<>();
          endpoint
              .policy()
              .map()
              .forEach(
                  (key, value) -> entries.put(PolicyKey.decode(key), PolicyEntry.decode(value)));
          policy.put(name, entries);
        });
    return new Snapshot(metrics, policy);
  }
}
