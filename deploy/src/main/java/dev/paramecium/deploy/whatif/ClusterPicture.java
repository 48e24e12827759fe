package dev.paramecium.deploy.whatif;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.agent.option.AgentOptions;
import dev.paramecium.agent.policy.PodPorts;
import dev.paramecium.api.KubeObject;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.PolicyDecisions;
import dev.paramecium.identity.CiliumIdentities;
import dev.paramecium.policy.NamedPorts;
import dev.paramecium.policy.PolicyOptions;
import dev.paramecium.policy.rule.LabelSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A cluster as far as policies see it.
 *
 * @param groups pods that policies cannot tell apart
 * @param identities number to labels
 * @param podPorts the named ports of each pod
 * @param services Services and EndpointSlices
 * @param policies all three kinds, as they are stored
 */
record ClusterPicture(
    PolicyOptions options,
    List<Group> groups,
    Map<Integer, LabelSet> identities,
    Map<String, NamedPorts> podPorts,
    List<KubeObject> services,
    List<KubeObject> policies) {

  static final Map<String, String> POLICIES =
      Map.of(
          "NetworkPolicy", "/apis/networking.k8s.io/v1/networkpolicies",
          "CiliumNetworkPolicy", "/apis/cilium.io/v2/ciliumnetworkpolicies",
          "CiliumClusterwideNetworkPolicy", "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies");

  private static final String CLUSTER_LABEL = "k8s:io.cilium.k8s.policy.cluster=";

  /** A port that a pod declares. */
  record Port(int number, int protocol) {}

  /**
   * Pods of one identity and the same named ports: their policy maps are the same.
   *
   * @param pods {@code namespace/name}, sorted
   * @param ports that their containers declare
   */
  record Group(
      int identity, LabelSet labels, NamedPorts named, List<String> pods, Set<Port> ports) {

    /** {@code shop/web-1}, {@code shop/web-1 and 2 more}. */
    @Override
    public String toString() {
      return pods.getFirst() + (pods.size() == 1 ? "" : " and " + (pods.size() - 1) + " more");
    }
  }

  private record Alike(int identity, NamedPorts named) {}

  /**
   * Reads it.
   *
   * @throws UserError if there is no node to ask for its options
   */
  static ClusterPicture of(ApiHttp api) {
    Map<String, JsonNode> pods = new HashMap<>();
    api.get("/api/v1/pods").path("items").forEach(pod -> pods.put(name(pod), pod));
    Map<Alike, Group> groups = new LinkedHashMap<>();
    Map<String, NamedPorts> podPorts = new TreeMap<>();
    String cluster = "default";
    for (KubeObject endpoint : list(api, "/apis/cilium.io/v2/ciliumendpoints")) {
      String pod = endpoint.namespace() + "/" + endpoint.name();
      NamedPorts named = PodPorts.ofCiliumEndpoint(endpoint);
      podPorts.put(pod, named);
      int identity = endpoint.at("/status/identity/id").asInt();
      if (identity == 0) {
        continue;
      }
      List<String> labels = new ArrayList<>();
      for (JsonNode label : endpoint.at("/status/identity/labels")) {
        labels.add(label.asText());
        if (label.asText().startsWith(CLUSTER_LABEL)) {
          cluster = label.asText().substring(CLUSTER_LABEL.length());
        }
      }
      Group group =
          groups.computeIfAbsent(
              new Alike(identity, named),
              _ ->
                  new Group(
                      identity, LabelSet.parse(labels), named, new ArrayList<>(), new HashSet<>()));
      group.pods().add(pod);
      group.ports().addAll(ports(pods.get(pod)));
    }
    groups.values().forEach(group -> group.pods().sort(null));
    Map<Integer, LabelSet> identities = new TreeMap<>();
    for (KubeObject identity : list(api, "/apis/cilium.io/v2/ciliumidentities")) {
      int number = CiliumIdentities.number(identity);
      if (number >= 0) {
        identities.put(number, LabelSet.parse(CiliumIdentities.labels(identity).lines()));
      }
    }
    List<KubeObject> services = new ArrayList<>(list(api, "/api/v1/services"));
    services.addAll(list(api, "/apis/discovery.k8s.io/v1/endpointslices"));
    List<KubeObject> policies = new ArrayList<>();
    new TreeMap<>(POLICIES).values().forEach(path -> policies.addAll(list(api, path)));
    return new ClusterPicture(
        options(api, cluster),
        groups.values().stream()
            .sorted(Comparator.comparing(group -> group.pods().getFirst()))
            .toList(),
        identities,
        podPorts,
        services,
        policies);
  }

  private static PolicyOptions options(ApiHttp api, String cluster) {
    for (JsonNode node : api.get("/api/v1/nodes").path("items")) {
      String text =
          PolicyDecisions.ask(
              api,
              node.path("metadata").path("name").asText(),
              List.of("cilium", "config", "-o", "json"));
      try {
        Map<String, String> values = new TreeMap<>();
        ApiHttp.JSON
            .readTree(text)
            .properties()
            .forEach(option -> values.put(option.getKey(), option.getValue().asText()));
        return AgentOptions.of(values).policy(cluster);
      } catch (JsonProcessingException e) {
        throw new UserError(
            UserError.FAILED, "the agent's options are not JSON: " + e.getOriginalMessage() + ".");
      }
    }
    throw new UserError(
        UserError.FAILED, "the cluster has no node, so no pod that a policy could mean.");
  }

  private static Set<Port> ports(@Nullable JsonNode pod) {
    Set<Port> ports =
        new TreeSet<>(Comparator.comparingInt(Port::number).thenComparingInt(Port::protocol));
    if (pod != null) {
      for (JsonNode container : pod.path("spec").path("containers")) {
        for (JsonNode port : container.path("ports")) {
          int protocol =
              switch (port.path("protocol").asText("TCP")) {
                case "UDP" -> IpProtocol.UDP;
                case "SCTP" -> IpProtocol.SCTP;
                default -> IpProtocol.TCP;
              };
          ports.add(new Port(port.path("containerPort").asInt(), protocol));
        }
      }
    }
    return ports;
  }

  private static String name(JsonNode object) {
    return object.path("metadata").path("namespace").asText()
        + "/"
        + object.path("metadata").path("name").asText();
  }

  /** With the kind that the items of a list leave out. */
  private static List<KubeObject> list(ApiHttp api, String path) {
    JsonNode list = api.get(path);
    String kind = list.path("kind").asText().replaceFirst("List$", "");
    String apiVersion = list.path("apiVersion").asText();
    List<KubeObject> objects = new ArrayList<>();
    for (JsonNode item : list.path("items")) {
      if (item instanceof ObjectNode object) {
        object.put("kind", kind).put("apiVersion", apiVersion);
        objects.add(new KubeObject(object));
      }
    }
    return objects;
  }
}
