package dev.paramecium.dns;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The cluster's zone as master-file text (RFC 1035, 5), after "Kubernetes DNS-Based Service
 * Discovery" 1.1.0 as coredns' kubernetes plugin does it: addresses of services, of each ready
 * endpoint of headless ones, SRV records of named ports, aliases of ExternalNames, reverse names.
 */
final class ClusterZone {

  private static final String SERVICE_NAME = "kubernetes.io/service-name";

  /** Seconds, as kubeadm's Corefile says. */
  private static final int TTL = 30;

  private final ZoneText text = new ZoneText(TTL);
  private final Map<String, List<KubeObject>> slices = new HashMap<>();

  private ClusterZone(Collection<KubeObject> endpointSlices) {
    for (KubeObject slice : endpointSlices) {
      String service = slice.labels().getOrDefault(SERVICE_NAME, "");
      slices.computeIfAbsent(slice.namespace() + "/" + service, _ -> new ArrayList<>()).add(slice);
    }
  }

  /**
   * The zone.
   *
   * @param serial of the SOA record: larger for each change
   */
  static String text(
      Collection<KubeObject> services, Collection<KubeObject> endpointSlices, int serial) {
    ClusterZone zone = new ClusterZone(endpointSlices);
    String origin = ClusterDns.DOMAIN + ".";
    String server = "ns.dns." + origin;
    zone.text.authority(origin, server, "hostmaster." + origin, serial);
    zone.text.line(server, "A", ClusterDns.ADDRESS);
    services.stream().sorted(Comparator.comparing(ClusterZone::key)).forEach(zone::service);
    return zone.text.toString();
  }

  private static String key(KubeObject object) {
    return object.namespace() + "/" + object.name();
  }

  private void service(KubeObject service) {
    String name = service.name() + "." + service.namespace() + ".svc." + ClusterDns.DOMAIN + ".";
    String clusterIp = service.text("/spec/clusterIP");
    if (service.text("/spec/type").equals("ExternalName")) {
      String target = service.text("/spec/externalName");
      text.line(name, "CNAME", target.endsWith(".") ? target : target + ".");
    } else if (clusterIp.equals("None")) {
      headless(service, name);
    } else if (!clusterIp.isEmpty()) {
      text.line(name, "A", clusterIp);
      text.pointer(clusterIp, name);
      int weight = 100 / Math.max(1, service.at("/spec/ports").size());
      for (JsonNode port : service.at("/spec/ports")) {
        int number = port.path("port").asInt();
        text.line(name, "SRV", "0 " + weight + " " + number + " " + name);
        if (port.path("name").isTextual()) {
          text.line(portName(port, name), "SRV", "0 100 " + number + " " + name);
        }
      }
    }
  }

  private static String portName(JsonNode port, String name) {
    String protocol = port.path("protocol").asText("TCP").toLowerCase(Locale.ROOT);
    return "_" + port.path("name").asText() + "._" + protocol + "." + name;
  }

  /** Each endpoint by itself: those that are ready, or all if the service publishes all. */
  private void headless(KubeObject service, String name) {
    boolean all = service.at("/spec/publishNotReadyAddresses").asBoolean();
    Set<String> seen = new TreeSet<>();
    for (KubeObject slice : slices.getOrDefault(key(service), List.of())) {
      for (JsonNode endpoint : slice.at("/endpoints")) {
        boolean ready = endpoint.at("/conditions/ready").asBoolean(true);
        String address = endpoint.at("/addresses/0").asText();
        if ((ready || all) && seen.add(address)) {
          endpoint(slice, endpoint, address, name);
        }
      }
    }
  }

  private void endpoint(KubeObject slice, JsonNode endpoint, String address, String name) {
    String hostname = endpoint.path("hostname").asText();
    String own = (hostname.isEmpty() ? address.replace('.', '-') : hostname) + "." + name;
    text.line(name, "A", address);
    text.line(own, "A", address);
    text.pointer(address, own);
    for (JsonNode port : slice.at("/ports")) {
      if (!port.path("name").asText().isEmpty()) {
        text.line(portName(port, name), "SRV", "0 100 " + port.path("port").asInt() + " " + own);
      }
    }
  }
}
