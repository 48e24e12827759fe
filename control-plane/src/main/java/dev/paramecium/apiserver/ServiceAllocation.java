package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.api.KubeObject;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Cluster addresses and node ports of Services ({@code
 * pkg/registry/core/service/storage/alloc.go}): given when a Service is written, out of what no
 * other Service has, kept as long as it wants them.
 */
public final class ServiceAllocation {

  /** {@code --service-cluster-ip-range}; the first address is the API server's own. */
  public static final Ipv4Prefix CLUSTER_IPS = Ipv4Prefix.parse("10.96.0.0/16");

  /** The API server's own. */
  static final Ipv4Address FIRST_CLUSTER_IP = new Ipv4Address(CLUSTER_IPS.address().value() + 1);

  /** {@code --service-node-port-range}. */
  static final int FIRST_NODE_PORT = 30_000;

  static final int LAST_NODE_PORT = 32_767;

  private static final String NONE = "None";

  private final Set<String> addresses = new HashSet<>();
  private final Set<Integer> nodePorts = new HashSet<>();

  /**
   * @param services all that are stored; the one that is written does not count against itself
   */
  ServiceAllocation(Collection<KubeObject> services, @Nullable KubeObject old) {
    for (KubeObject service : services) {
      if (old == null || !service.uid().equals(old.uid())) {
        service.at("/spec/clusterIPs").forEach(address -> addresses.add(address.asText()));
        addresses.add(service.text("/spec/clusterIP"));
        service.at("/spec/ports").forEach(port -> nodePorts.add(port.path("nodePort").asInt()));
        nodePorts.add(service.at("/spec/healthCheckNodePort").asInt());
      }
    }
  }

  /**
   * Fills in what {@code service} wants and does not have.
   *
   * @param old as it was, null for a new one: what it had it keeps
   * @param violations gets what it asks for and cannot have
   */
  void allocate(ObjectNode service, @Nullable KubeObject old, Violations violations) {
    ObjectNode spec = service.withObject("/spec");
    String type = spec.path("type").asText();
    if (type.equals("ExternalName")) {
      spec.remove(java.util.List.of("clusterIP", "clusterIPs"));
      return;
    }
    clusterIp(spec, old, violations);
    boolean wantsNodePorts =
        type.equals("NodePort")
            || type.equals("LoadBalancer")
                && spec.path("allocateLoadBalancerNodePorts").asBoolean(true);
    nodePorts(spec, old, wantsNodePorts, type.equals("ClusterIP"), violations);
    spec.putArray("ipFamilies").add("IPv4");
    if (spec.path("ipFamilyPolicy").asText().isEmpty()) {
      spec.put("ipFamilyPolicy", "SingleStack");
    }
  }

  private void clusterIp(ObjectNode spec, @Nullable KubeObject old, Violations violations) {
    String wanted = spec.path("clusterIP").asText();
    String had = old == null ? "" : old.text("/spec/clusterIP");
    if (wanted.isEmpty()) {
      wanted = had.isEmpty() ? next() : had;
    } else if (!wanted.equals(NONE) && !wanted.equals(had)) {
      Ipv4Address address = address(wanted);
      if (address == null || !CLUSTER_IPS.contains(address)) {
        violations.invalid(
            "spec.clusterIPs",
            wanted,
            "failed to allocate IP "
                + wanted
                + ": the provided IP is not in the valid range. The range of valid IPs is "
                + CLUSTER_IPS);
      } else if (addresses.contains(wanted)) {
        violations.invalid(
            "spec.clusterIPs",
            wanted,
            "failed to allocate IP " + wanted + ": provided IP is already allocated");
      }
    }
    if (wanted.isEmpty()) {
      violations.invalid("spec.clusterIPs", "", "failed to allocate a serviceIP: range is full");
      return;
    }
    spec.put("clusterIP", wanted);
    spec.putArray("clusterIPs").add(wanted);
  }

  private static @Nullable Ipv4Address address(String text) {
    try {
      return Ipv4Address.parse(text);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** The lowest free address after the API server's; empty if there is none. */
  private String next() {
    int first = CLUSTER_IPS.address().value();
    int size = 1 << (32 - CLUSTER_IPS.length());
    for (int i = 2; i < size - 1; i++) {
      String address = new Ipv4Address(first + i).toString();
      if (!addresses.contains(address)) {
        return address;
      }
    }
    return "";
  }

  private void nodePorts(
      ObjectNode spec,
      @Nullable KubeObject old,
      boolean wanted,
      boolean forbidden,
      Violations violations) {
    int i = 0;
    for (JsonNode entry : spec.path("ports")) {
      ObjectNode port = (ObjectNode) entry;
      String at = "spec.ports[" + i++ + "].nodePort";
      int number = port.path("nodePort").asInt();
      if (forbidden && number != 0) {
        // Left over from a type that had them; asked for anew it is a mistake.
        if (had(old, number)) {
          port.remove("nodePort");
        } else {
          violations.forbidden(at, "may not be used when `type` is 'ClusterIP'");
        }
      } else if (number != 0) {
        if (number < FIRST_NODE_PORT || number > LAST_NODE_PORT) {
          violations.invalid(
              at,
              Integer.toString(number),
              "provided port is not in the valid range. The range of valid ports is "
                  + FIRST_NODE_PORT
                  + "-"
                  + LAST_NODE_PORT);
        } else if (!nodePorts.add(number) && !had(old, number)) {
          violations.invalid(at, Integer.toString(number), "provided port is already allocated");
        }
      } else if (wanted) {
        int before = had(old, port);
        int free = before == 0 ? freeNodePort(start(spec, port)) : before;
        if (free == 0) {
          violations.invalid(at, "0", "failed to allocate a nodePort: range is full");
          return;
        }
        nodePorts.add(free);
        port.put("nodePort", free);
      }
    }
  }

  /** The first free port from {@code start} on, round the range; 0 if there is none. */
  private int freeNodePort(int start) {
    int range = LAST_NODE_PORT - FIRST_NODE_PORT + 1;
    for (int i = 0; i < range; i++) {
      int port = FIRST_NODE_PORT + (start - FIRST_NODE_PORT + i) % range;
      if (!nodePorts.contains(port)) {
        return port;
      }
    }
    return 0;
  }

  private static boolean had(@Nullable KubeObject old, int number) {
    if (old != null) {
      for (JsonNode port : old.at("/spec/ports")) {
        if (port.path("nodePort").asInt() == number) {
          return true;
        }
      }
    }
    return false;
  }

  /** What the same port had before, 0 for none. */
  private static int had(@Nullable KubeObject old, ObjectNode wanted) {
    if (old != null) {
      for (JsonNode port : old.at("/spec/ports")) {
        if (port.path("port").equals(wanted.path("port"))
            && port.path("protocol").equals(wanted.path("protocol"))) {
          return port.path("nodePort").asInt();
        }
      }
    }
    return 0;
  }

  /** Where the search begins: spread out, and the same after a replay. */
  private static int start(ObjectNode spec, ObjectNode port) {
    int seed = spec.path("clusterIP").asText().hashCode() * 31 + port.path("port").asInt();
    return FIRST_NODE_PORT + Math.floorMod(seed, LAST_NODE_PORT - FIRST_NODE_PORT + 1);
  }
}
