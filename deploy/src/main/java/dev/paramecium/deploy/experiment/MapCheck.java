package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.ExecSession;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether each node's maps hold what follows from the API server's objects. cilium_ipcache and
 * cilium_lxc: every pod by its address, with an identity that stands for its labels and the node
 * where it is, and no pod that is no more. Policy maps and Services' maps: {@link PolicyMapCheck},
 * {@link ServiceMapCheck}. And whether an endpoint or packet buffers are left over.
 */
final class MapCheck {

  private static final Pattern ENTRY =
      Pattern.compile("(?m)^([0-9.]+)/32\\s+.*?identity=([0-9]+)\\s.*?tunnelendpoint=([0-9.]+)");
  private static final Pattern LOCAL = Pattern.compile("(?m)^([0-9.]+)(?::[0-9]+)?\\s+id=");
  private static final Pattern ENDPOINT =
      Pattern.compile("(?m)^([0-9.]+)(?::[0-9]+)?\\s+id=([0-9]+)\\s");
  private static final int FIRST_OF_PODS = 256;

  /** On their way while nobody but the flows sends anything. */
  private static final long MOST_BUFFERS = 500;

  private MapCheck() {}

  /** Every difference, as a sentence. */
  static List<String> differences(ApiHttp api, Set<String> ports) {
    Map<String, String> nodeAddresses = new HashMap<>();
    for (JsonNode node : api.get("/api/v1/nodes").path("items")) {
      for (JsonNode address : node.at("/status/addresses")) {
        if (address.path("type").asText().equals("InternalIP")) {
          nodeAddresses.put(node.at("/metadata/name").asText(), address.path("address").asText());
        }
      }
    }
    Map<String, Set<String>> labelsOf = new HashMap<>();
    for (JsonNode identity : api.get("/apis/cilium.io/v2/ciliumidentities").path("items")) {
      Set<String> labels = new HashSet<>();
      identity
          .path("security-labels")
          .properties()
          .forEach(l -> labels.add(l.getKey() + "=" + l.getValue().asText()));
      labelsOf.put(identity.at("/metadata/name").asText(), labels);
    }
    List<JsonNode> pods = new ArrayList<>();
    for (JsonNode pod : api.get("/api/v1/pods").path("items")) {
      if (!pod.at("/spec/hostNetwork").asBoolean()
          && !pod.at("/status/podIP").asText().isEmpty()
          && pod.at("/status/phase").asText().equals("Running")) {
        pods.add(pod);
      }
    }
    List<String> wrong = new ArrayList<>();
    nodeAddresses.keySet().stream()
        .sorted()
        .forEach(node -> compare(api, node, nodeAddresses, labelsOf, pods, ports, wrong));
    for (JsonNode node : api.get("/apis/paramecium.dev/v1alpha1/status").path("nodes")) {
      long buffers = node.at("/counters/buffers_in_use").asLong();
      if (buffers > MOST_BUFFERS) {
        wrong.add(node.path("name").asText() + ": " + buffers + " packet buffers are in use");
      }
    }
    return wrong;
  }

  private static void compare(
      ApiHttp api,
      String node,
      Map<String, String> nodeAddresses,
      Map<String, Set<String>> labelsOf,
      List<JsonNode> pods,
      Set<String> ports,
      List<String> wrong) {
    Map<String, String[]> entries = new HashMap<>();
    Matcher entry = ENTRY.matcher(run(api, node, "cilium", "bpf", "ipcache", "list"));
    while (entry.find()) {
      entries.put(entry.group(1), new String[] {entry.group(2), entry.group(3)});
    }
    Set<String> local = new HashSet<>();
    Matcher endpoint = LOCAL.matcher(run(api, node, "cilium", "bpf", "endpoint", "list"));
    while (endpoint.find()) {
      local.add(endpoint.group(1));
    }
    Set<String> addresses = new HashSet<>();
    for (JsonNode pod : pods) {
      String ip = pod.at("/status/podIP").asText();
      String where = pod.at("/spec/nodeName").asText();
      String name =
          pod.at("/metadata/namespace").asText() + "/" + pod.at("/metadata/name").asText();
      String at = node + ": cilium_ipcache, " + ip + " of " + name + ": ";
      addresses.add(ip);
      String[] found = entries.get(ip);
      if (found == null) {
        wrong.add(at + "no entry");
        continue;
      }
      Set<String> labels = labelsOf.getOrDefault(found[0], Set.of());
      for (Map.Entry<String, JsonNode> label : pod.at("/metadata/labels").properties()) {
        String text = "k8s:" + label.getKey() + "=" + label.getValue().asText();
        if (isIdentifying(label.getKey()) && !labels.contains(text)) {
          wrong.add(at + "identity " + found[0] + " does not stand for " + text);
        }
      }
      boolean here = where.equals(node);
      String tunnel = here ? "0.0.0.0" : nodeAddresses.getOrDefault(where, "");
      if (!found[1].equals(tunnel)) {
        wrong.add(at + "tunnel endpoint " + found[1] + ", the pod is on " + where);
      }
      if (here && !local.contains(ip)) {
        wrong.add(node + ": cilium_lxc, " + ip + " of " + name + ": no entry");
      }
    }
    Map<String, String> identities = new HashMap<>();
    entries.forEach((ip, found) -> identities.put(ip, found[0]));
    comparePolicies(api, node, identities, pods, ports, wrong);
    JsonNode listed = json(run(api, node, "cilium", "bpf", "lb", "list", "-o", "json"));
    wrong.addAll(
        ServiceMapCheck.differences(node, listed, api.get("/api/v1/services").path("items"), pods));
    entries.forEach(
        (ip, found) -> {
          if (Integer.parseInt(found[0]) >= FIRST_OF_PODS && !addresses.contains(ip)) {
            wrong.add(
                node + ": cilium_ipcache, " + ip + ": identity " + found[0] + ", no such pod");
          }
        });
  }

  private static void comparePolicies(
      ApiHttp api,
      String node,
      Map<String, String> identities,
      List<JsonNode> running,
      Set<String> ports,
      List<String> wrong) {
    Map<String, Integer> endpoints = new HashMap<>();
    Matcher local = ENDPOINT.matcher(run(api, node, "cilium", "bpf", "endpoint", "list"));
    while (local.find()) {
      endpoints.put(local.group(1), Integer.parseInt(local.group(2)));
    }
    Set<Integer> known = new HashSet<>();
    for (JsonNode endpoint : json(run(api, node, "cilium", "endpoint", "list", "-o", "json"))) {
      known.add(endpoint.path("id").asInt());
    }
    endpoints
        .values()
        .forEach(
            id -> {
              if (!known.contains(id)) {
                wrong.add(
                    node + ": cilium_lxc: endpoint " + id + ", which the agent does not have");
              }
            });
    Map<String, Map<String, String>> namespaces = new HashMap<>();
    for (JsonNode namespace : api.get("/api/v1/namespaces").path("items")) {
      namespaces.put(namespace.at("/metadata/name").asText(), labels(namespace));
    }
    List<PolicyMapCheck.Pod> pods = new ArrayList<>();
    for (JsonNode pod : running) {
      String namespace = pod.at("/metadata/namespace").asText();
      pods.add(
          new PolicyMapCheck.Pod(
              namespace + "/" + pod.at("/metadata/name").asText(),
              pod.at("/status/podIP").asText(),
              new PolicyOracle.Peer(
                  namespace, labels(pod), namespaces.getOrDefault(namespace, Map.of()))));
    }
    List<JsonNode> policies = new ArrayList<>();
    api.get("/apis/networking.k8s.io/v1/networkpolicies").path("items").forEach(policies::add);
    String dump = run(api, node, "cilium", "bpf", "policy", "get", "--all", "-n");
    wrong.addAll(
        PolicyMapCheck.differences(
            node, dump, endpoints, known, identities, pods, policies, ports));
  }

  private static Map<String, String> labels(JsonNode object) {
    Map<String, String> labels = new HashMap<>();
    object
        .at("/metadata/labels")
        .properties()
        .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    return labels;
  }

  /** What a command that was cut short printed holds nothing. */
  private static JsonNode json(String text) {
    try {
      return ApiHttp.JSON.readTree(text);
    } catch (JsonProcessingException _) {
      return ApiHttp.JSON.createObjectNode();
    }
  }

  /** Labels that v1.12.3 leaves out of identities by default. */
  private static boolean isIdentifying(String key) {
    return !key.matches(
        ".*kubernetes\\.io/.*|.*beta\\.kubernetes\\.io/.*|.*k8s\\.io/.*|pod-template-generation"
            + "|pod-template-hash|controller-revision-hash|statefulset\\.kubernetes\\.io/.*"
            + "|annotation.*|controller-uid|job-name|batch\\..*|etcd_node|controller");
  }

  private static String run(ApiHttp api, String node, String... command) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ExecSession.run(
        api,
        "/apis/paramecium.dev/v1alpha1/nodes/"
            + node
            + "/exec"
            + ExecSession.query(List.of(command), "", false, false),
        null,
        out,
        new ByteArrayOutputStream());
    return out.toString(StandardCharsets.UTF_8);
  }
}
