package dev.paramecium.dns;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A pod's {@code /etc/resolv.conf} by its dnsPolicy and dnsConfig ({@code
 * pkg/kubelet/network/dns}).
 */
public final class PodDns {

  /** Where it is mounted. */
  public static final String PATH = "/etc/resolv.conf";

  private static final int MAX_NAMESERVERS = 3;

  private PodDns() {}

  /**
   * The file's text.
   *
   * @param ofNode the nameservers of the pod's node
   */
  public static String resolvConf(KubeObject pod, List<Ipv4Address> ofNode) {
    List<String> servers = new ArrayList<>();
    Set<String> search = new LinkedHashSet<>();
    Map<String, String> options = new LinkedHashMap<>();
    if (asksCluster(pod)) {
      servers.add(ClusterDns.ADDRESS);
      String services = "svc." + ClusterDns.DOMAIN;
      search.addAll(List.of(pod.namespace() + "." + services, services, ClusterDns.DOMAIN));
      options.put("ndots", "5");
    } else if (!pod.text("/spec/dnsPolicy").equals("None")) {
      ofNode.forEach(server -> servers.add(server.toString()));
    }
    JsonNode config = pod.at("/spec/dnsConfig");
    config.path("nameservers").forEach(server -> servers.add(server.asText()));
    config.path("searches").forEach(domain -> search.add(domain.asText()));
    for (JsonNode option : config.path("options")) {
      options.put(option.path("name").asText(), option.path("value").asText());
    }
    StringBuilder text = new StringBuilder();
    if (!search.isEmpty()) {
      text.append("search ").append(String.join(" ", search)).append('\n');
    }
    servers.stream()
        .distinct()
        .limit(MAX_NAMESERVERS)
        .forEach(server -> text.append("nameserver ").append(server).append('\n'));
    if (!options.isEmpty()) {
      text.append("options");
      options.forEach(
          (name, value) -> text.append(' ').append(value.isEmpty() ? name : name + ":" + value));
      text.append('\n');
    }
    return text.toString();
  }

  private static boolean asksCluster(KubeObject pod) {
    return switch (pod.text("/spec/dnsPolicy")) {
      case "Default", "None" -> false;
      case "ClusterFirstWithHostNet" -> true;
      default -> !pod.at("/spec/hostNetwork").asBoolean();
    };
  }
}
