package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether a node's {@code cilium_lb4_services_v2} and {@code cilium_lb4_backends_v2} lead each
 * cluster address to the ready pods that its Service selects, and hold no address that is no
 * Service's. Services with a selector and numbered target ports, outside kube-system, are judged.
 */
final class ServiceMapCheck {

  private ServiceMapCheck() {}

  /**
   * Every difference on one node, as a sentence.
   *
   * @param listed what {@code cilium bpf lb list -o json} printed
   */
  static List<String> differences(
      String node, JsonNode listed, Iterable<JsonNode> services, Iterable<JsonNode> pods) {
    List<String> wrong = new ArrayList<>();
    Set<String> addresses = new HashSet<>();
    Map<String, Set<String>> wanted = new HashMap<>();
    for (JsonNode service : services) {
      String address = service.at("/spec/clusterIP").asText();
      addresses.add(address);
      if (service.at("/metadata/namespace").asText().equals("kube-system")
          || service.at("/spec/selector").isEmpty()
          || address.equals("None")) {
        continue;
      }
      for (JsonNode port : service.at("/spec/ports")) {
        JsonNode target = port.has("targetPort") ? port.path("targetPort") : port.path("port");
        if (target.isNumber()) {
          wanted.put(
              address + ":" + port.path("port").asInt(), backends(service, target.asInt(), pods));
        }
      }
    }
    wanted.forEach(
        (frontend, backends) -> {
          Set<String> found = found(listed.path(frontend));
          if (!found.equals(backends)) {
            wrong.add(
                "%s: cilium_lb4, %s: leads to %s, its Service selects %s"
                    .formatted(node, frontend, found, backends));
          }
        });
    for (Map.Entry<String, JsonNode> frontend : listed.properties()) {
      String address = frontend.getKey().replaceFirst(":.*", "");
      boolean cluster = frontend.getValue().path(0).asText().contains("ClusterIP");
      if (cluster && !addresses.contains(address)) {
        wrong.add(node + ": cilium_lb4, " + frontend.getKey() + ": no such Service");
      }
    }
    return wrong;
  }

  private static Set<String> backends(JsonNode service, int port, Iterable<JsonNode> pods) {
    Set<String> backends = new TreeSet<>();
    for (JsonNode pod : pods) {
      boolean selected =
          pod.at("/metadata/namespace").equals(service.at("/metadata/namespace"))
              && service.at("/spec/selector").properties().stream()
                  .allMatch(
                      wanted ->
                          wanted
                              .getValue()
                              .equals(pod.at("/metadata/labels").path(wanted.getKey())));
      if (selected && isReady(pod)) {
        backends.add(pod.at("/status/podIP").asText() + ":" + port);
      }
    }
    return backends;
  }

  private static boolean isReady(JsonNode pod) {
    for (JsonNode condition : pod.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText().equals("True")
            && !pod.path("metadata").has("deletionTimestamp");
      }
    }
    return false;
  }

  /** The first entry of a frontend is itself: {@code 0.0.0.0:0 (1) (0)}. */
  private static Set<String> found(JsonNode entries) {
    Set<String> found = new TreeSet<>();
    for (JsonNode entry : entries) {
      String backend = entry.asText().replaceFirst(" .*", "");
      if (!backend.equals("0.0.0.0:0")) {
        found.add(backend);
      }
    }
    return found;
  }
}
