package dev.paramecium.deploy.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.VersionDigest;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.AtOnce;
import dev.paramecium.deploy.client.Waiting;
import dev.paramecium.identity.SecurityLabels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * When a change has arrived. In the namespaces that matter: pods run and have the identity of their
 * labels, workloads and services have their pods. Then, on every node: its maps reflect exactly the
 * versions of all objects that the API server has (agents report a digest of them).
 */
final class Settlement {

  private static final String NAMESPACES = "/api/v1/namespaces";
  private static final String SERVICES = "/api/v1/services";
  private static final String SLICES = "/apis/discovery.k8s.io/v1/endpointslices";
  private static final String ENDPOINTS = "/apis/cilium.io/v2/ciliumendpoints";

  private static final Map<String, String> APPLIED =
      Map.of(
          "Namespace",
          NAMESPACES,
          "Service",
          SERVICES,
          "EndpointSlice",
          SLICES,
          "NetworkPolicy",
          "/apis/networking.k8s.io/v1/networkpolicies",
          "CiliumNetworkPolicy",
          "/apis/cilium.io/v2/ciliumnetworkpolicies",
          "CiliumClusterwideNetworkPolicy",
          "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies",
          "CiliumIdentity",
          "/apis/cilium.io/v2/ciliumidentities",
          "CiliumEndpoint",
          ENDPOINTS);

  private static final List<String> WORKLOADS =
      List.of(
          "/apis/apps/v1/deployments",
          "/apis/apps/v1/replicasets",
          "/apis/apps/v1/statefulsets",
          "/apis/apps/v1/daemonsets");

  private static final String PODS = "/api/v1/pods";
  private static final String NODES = "/api/v1/nodes";
  private static final String SYNC = "/apis/paramecium.dev/v1alpha1/sync";
  private static final String CLUSTER_LABEL = "k8s:io.cilium.k8s.policy.cluster=";

  private final ApiHttp api;
  private final Set<String> namespaces;
  private final Map<String, JsonNode> answers = new ConcurrentHashMap<>();

  /**
   * @param namespaces whose pods and services must be complete
   */
  Settlement(ApiHttp api, Set<String> namespaces) {
    this.api = api;
    this.namespaces = Set.copyOf(namespaces);
  }

  /**
   * Waits.
   *
   * @throws dev.paramecium.deploy.UserError naming what is missing, if it takes longer
   */
  void await(Duration limit) {
    AtomicReference<String> missing = new AtomicReference<>("");
    Waiting.until(
        limit,
        () -> {
          missing.set(missing());
          return missing.get().isEmpty();
        },
        () -> missing + " after " + limit.toSeconds() + " s.");
  }

  /** The first thing that is not there yet; empty if all is. */
  private String missing() {
    List<String> paths = new ArrayList<>(APPLIED.values());
    paths.addAll(WORKLOADS);
    paths.addAll(List.of(PODS, NODES));
    AtOnce.run(paths.stream().map(path -> (Runnable) () -> read(path)).toList());
    List<ObjectNode> pods = ours(PODS);
    for (ObjectNode pod : pods) {
      String fault = unready(pod);
      if (!fault.isEmpty()) {
        return "pod " + name(pod) + " " + fault;
      }
    }
    for (String kind : WORKLOADS) {
      for (ObjectNode workload : ours(kind)) {
        if (!isComplete(workload)) {
          return kind.substring(kind.lastIndexOf('/') + 1)
              + " "
              + name(workload)
              + " has not all of its pods ready";
        }
      }
    }
    String fault = identities(pods);
    if (fault.isEmpty()) {
      fault = services(pods);
    }
    if (fault.isEmpty()) {
      read(SYNC);
      fault = maps();
    }
    return fault;
  }

  private void read(String path) {
    answers.put(path, api.get(path));
  }

  private JsonNode items(String path) {
    return answers.getOrDefault(path, ApiHttp.JSON.createObjectNode()).path("items");
  }

  private List<ObjectNode> ours(String path) {
    List<ObjectNode> ours = new ArrayList<>();
    for (JsonNode item : items(path)) {
      if (item instanceof ObjectNode object
          && namespaces.contains(item.path("metadata").path("namespace").asText())) {
        ours.add(object);
      }
    }
    return ours;
  }

  private static String name(JsonNode object) {
    return object.path("metadata").path("namespace").asText()
        + "/"
        + object.path("metadata").path("name").asText();
  }

  // ---- pods

  private static boolean isOver(JsonNode pod) {
    String phase = pod.path("status").path("phase").asText();
    return phase.equals("Succeeded") || phase.equals("Failed");
  }

  private static String unready(JsonNode pod) {
    if (pod.path("metadata").hasNonNull("deletionTimestamp")) {
      return "is still being deleted";
    }
    if (isOver(pod)) {
      return "";
    }
    for (JsonNode condition : pod.path("status").path("conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        return condition.path("status").asText().equals("True") ? "" : notReady(pod);
      }
    }
    return notReady(pod);
  }

  private static String notReady(JsonNode pod) {
    for (JsonNode container : pod.path("status").path("containerStatuses")) {
      JsonNode waiting = container.path("state").path("waiting");
      if (waiting.hasNonNull("reason") && !waiting.path("reason").asText().isEmpty()) {
        return "is not ready ("
            + waiting.path("reason").asText()
            + (waiting.hasNonNull("message") ? ": " + waiting.path("message").asText() : "")
            + ")";
      }
    }
    for (JsonNode condition : pod.path("status").path("conditions")) {
      if (condition.path("status").asText().equals("False")
          && !condition.path("message").asText().isEmpty()) {
        return "is not ready (" + condition.path("message").asText() + ")";
      }
    }
    return "is not ready (phase " + pod.path("status").path("phase").asText() + ")";
  }

  private static boolean isComplete(JsonNode workload) {
    JsonNode status = workload.path("status");
    long generation = workload.path("metadata").path("generation").asLong();
    if (status.path("observedGeneration").asLong() < generation) {
      return false;
    }
    if (status.has("desiredNumberScheduled")) {
      return status.path("numberReady").asInt() >= status.path("desiredNumberScheduled").asInt();
    }
    int wanted = workload.path("spec").path("replicas").asInt(1);
    return status.path("readyReplicas").asInt() == wanted
        && status.path("replicas").asInt() == wanted;
  }

  // ---- identities

  private String identities(List<ObjectNode> pods) {
    Map<String, JsonNode> endpoints = new HashMap<>();
    ours(ENDPOINTS).forEach(e -> endpoints.put(name(e), e));
    Map<String, Map<String, String>> labels = new HashMap<>();
    items(NAMESPACES)
        .forEach(ns -> labels.put(ns.path("metadata").path("name").asText(), World.labels(ns)));
    for (ObjectNode pod : pods) {
      if (isOver(pod) || pod.path("spec").path("hostNetwork").asBoolean()) {
        continue;
      }
      JsonNode endpoint = endpoints.remove(name(pod));
      if (endpoint == null) {
        return "pod " + name(pod) + " has no endpoint";
      }
      Set<String> has = new TreeSet<>();
      String cluster = "";
      for (JsonNode label : endpoint.path("status").path("identity").path("labels")) {
        has.add(label.asText());
        if (label.asText().startsWith(CLUSTER_LABEL)) {
          cluster = label.asText().substring(CLUSTER_LABEL.length());
        }
      }
      Map<String, String> namespace =
          labels.getOrDefault(pod.path("metadata").path("namespace").asText(), Map.of());
      List<String> wanted = SecurityLabels.of(new KubeObject(pod), namespace, cluster).lines();
      if (!has.equals(new TreeSet<>(wanted))) {
        return "pod " + name(pod) + " has not the identity of its labels yet";
      }
    }
    return endpoints.isEmpty()
        ? ""
        : "endpoint " + endpoints.keySet().iterator().next() + " is left over from a pod";
  }

  // ---- services

  private String services(List<ObjectNode> pods) {
    for (ObjectNode service : ours(SERVICES)) {
      JsonNode selector = service.path("spec").path("selector");
      if (selector.isEmpty()
          || service.path("spec").path("type").asText().equals("ExternalName")
          || service.path("spec").path("publishNotReadyAddresses").asBoolean()) {
        continue;
      }
      String namespace = service.path("metadata").path("namespace").asText();
      Set<String> wanted = new TreeSet<>();
      for (ObjectNode pod : pods) {
        if (pod.path("metadata").path("namespace").asText().equals(namespace)
            && !isOver(pod)
            && containsAll(World.labels(pod), selector)) {
          wanted.add(pod.path("status").path("podIP").asText());
        }
      }
      if (!backends(service).equals(wanted)) {
        return "service " + name(service) + " has not the addresses of its pods";
      }
    }
    return "";
  }

  private static boolean containsAll(Map<String, String> labels, JsonNode selector) {
    return selector.properties().stream()
        .allMatch(wanted -> wanted.getValue().asText().equals(labels.get(wanted.getKey())));
  }

  private Set<String> backends(ObjectNode service) {
    Set<String> addresses = new TreeSet<>();
    for (ObjectNode slice : ours(SLICES)) {
      JsonNode of = slice.path("metadata").path("labels").path("kubernetes.io/service-name");
      if (of.asText().equals(service.path("metadata").path("name").asText())
          && slice
              .path("metadata")
              .path("namespace")
              .asText()
              .equals(service.path("metadata").path("namespace").asText())) {
        for (JsonNode endpoint : slice.path("endpoints")) {
          if (endpoint.path("conditions").path("ready").asBoolean(true)) {
            endpoint.path("addresses").forEach(address -> addresses.add(address.asText()));
          }
        }
      }
    }
    return addresses;
  }

  // ---- maps

  private String maps() {
    Map<String, Long> wanted = new HashMap<>();
    APPLIED.forEach(
        (kind, path) -> {
          long digest = 0;
          for (JsonNode object : items(path)) {
            digest += VersionDigest.of(object.path("metadata").path("resourceVersion").asLong());
          }
          wanted.put(kind, digest);
        });
    Set<String> nodes = new HashSet<>();
    for (JsonNode node : items(NODES)) {
      if (unready(node).isEmpty()) {
        nodes.add(node.path("metadata").path("name").asText());
      }
    }
    JsonNode status = answers.getOrDefault(SYNC, ApiHttp.JSON.createObjectNode());
    for (JsonNode node : status.path("nodes")) {
      JsonNode counters = node.path("counters");
      for (Map.Entry<String, Long> kind : wanted.entrySet()) {
        JsonNode digest = counters.path("applied." + kind.getKey());
        if (digest.isMissingNode() || digest.asLong() != kind.getValue()) {
          return node.path("name").asText()
              + "'s maps do not reflect every "
              + kind.getKey()
              + " yet";
        }
      }
      nodes.remove(node.path("name").asText());
    }
    return nodes.isEmpty() ? "" : nodes.iterator().next() + " does not say what its maps reflect";
  }
}
