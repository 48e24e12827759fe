package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The columns of the core group besides pods and nodes, and of coordination and scheduling. */
final class CoreColumns {

  private static final int MAX_ENDPOINTS = 3;
  private static final int LOAD_BALANCER_WIDTH = 16;

  private CoreColumns() {}

  static final List<ServedKind.Column> SERVICE =
      List.of(
          Columns.NAME,
          Columns.at("Type", "/spec/type"),
          Columns.column(
              "Cluster-IP",
              (object, _) -> Columns.orElse(object.text("/spec/clusterIP"), Columns.NONE)),
          Columns.column("External-IP", (object, _) -> externalIp(object)),
          Columns.column("Port(s)", (object, _) -> servicePorts(object)),
          Columns.AGE,
          Columns.wide(
              "Selector", (object, _) -> WorkloadColumns.labels(object.at("/spec/selector"))));

  static final List<ServedKind.Column> ENDPOINTS =
      List.of(
          Columns.NAME, Columns.column("Endpoints", (object, _) -> endpoints(object)), Columns.AGE);

  static final List<ServedKind.Column> ENDPOINT_SLICE =
      List.of(
          Columns.NAME,
          Columns.at("AddressType", "/addressType"),
          Columns.column("Ports", (object, _) -> slicePorts(object)),
          Columns.column("Endpoints", (object, _) -> sliceEndpoints(object)),
          Columns.AGE);

  static final List<ServedKind.Column> CONFIG_MAP =
      List.of(
          Columns.NAME,
          Columns.column(
              "Data",
              (object, _) ->
                  Integer.toString(object.at("/data").size() + object.at("/binaryData").size())),
          Columns.AGE);

  static final List<ServedKind.Column> SECRET =
      List.of(
          Columns.NAME,
          Columns.at("Type", "/type"),
          Columns.integer("Data", (object, _) -> Integer.toString(object.at("/data").size())),
          Columns.AGE);

  static final List<ServedKind.Column> SERVICE_ACCOUNT =
      List.of(
          Columns.NAME,
          Columns.integer("Secrets", (object, _) -> Integer.toString(object.at("/secrets").size())),
          Columns.AGE);

  static final List<ServedKind.Column> EVENT =
      List.of(
          Columns.column("Last Seen", (object, now) -> lastSeen(object, now)),
          Columns.at("Type", "/type"),
          Columns.at("Reason", "/reason"),
          Columns.column("Object", (object, _) -> involved(object)),
          Columns.wide("Subobject", (object, _) -> object.text("/involvedObject/fieldPath")),
          Columns.wide("Source", (object, _) -> eventSource(object)),
          Columns.column("Message", (object, _) -> object.text("/message").strip()),
          Columns.wide("First Seen", CoreColumns::firstSeen),
          Columns.wide(
              "Count",
              (object, _) ->
                  Integer.toString(
                      Math.max(
                          1,
                          Math.max(
                              object.at("/count").asInt(), object.at("/series/count").asInt())))),
          new ServedKind.Column("Name", "string", "name", 1, (object, _) -> object.name()));

  static final List<ServedKind.Column> LEASE =
      List.of(Columns.NAME, Columns.at("Holder", "/spec/holderIdentity"), Columns.AGE);

  static final List<ServedKind.Column> RESOURCE_QUOTA =
      List.of(
          Columns.NAME,
          Columns.AGE,
          Columns.column("Request", (object, _) -> quota(object, false)),
          Columns.column("Limit", (object, _) -> quota(object, true)));

  static final List<ServedKind.Column> LIMIT_RANGE =
      List.of(Columns.NAME, Columns.column("Created At", (object, _) -> created(object)));

  static final List<ServedKind.Column> PRIORITY_CLASS =
      List.of(
          Columns.NAME,
          Columns.count("Value", "/value"),
          Columns.column(
              "Global-Default",
              (object, _) -> Boolean.toString(object.at("/globalDefault").asBoolean())),
          Columns.AGE);

  static String created(KubeObject object) {
    return object.text("/metadata/creationTimestamp");
  }

  private static String externalIp(KubeObject service) {
    List<String> addresses = texts(service.at("/spec/externalIPs"));
    return switch (service.text("/spec/type")) {
      case "ExternalName" -> service.text("/spec/externalName");
      case "LoadBalancer" -> {
        List<String> all = new ArrayList<>();
        for (JsonNode ingress : service.at("/status/loadBalancer/ingress")) {
          all.add(Columns.orElse(ingress.path("ip").asText(), ingress.path("hostname").asText()));
        }
        all.addAll(addresses);
        yield all.isEmpty() ? "<pending>" : shortened(String.join(",", all));
      }
      default -> addresses.isEmpty() ? Columns.NONE : String.join(",", addresses);
    };
  }

  private static String shortened(String addresses) {
    return addresses.length() > LOAD_BALANCER_WIDTH && addresses.contains(",")
        ? addresses.substring(0, LOAD_BALANCER_WIDTH - 3) + "..."
        : addresses;
  }

  private static String servicePorts(KubeObject service) {
    List<String> ports = new ArrayList<>();
    for (JsonNode port : service.at("/spec/ports")) {
      String nodePort = port.path("nodePort").asInt() > 0 ? ":" + port.path("nodePort") : "";
      ports.add(port.path("port").asInt() + nodePort + "/" + port.path("protocol").asText());
    }
    return ports.isEmpty() ? Columns.NONE : String.join(",", ports);
  }

  private static String endpoints(KubeObject endpoints) {
    List<String> all = new ArrayList<>();
    for (JsonNode subset : endpoints.at("/subsets")) {
      for (JsonNode address : subset.path("addresses")) {
        String ip = address.path("ip").asText();
        if (subset.path("ports").isEmpty()) {
          all.add(ip);
        }
        for (JsonNode port : subset.path("ports")) {
          all.add((ip.contains(":") ? "[" + ip + "]" : ip) + ":" + port.path("port").asInt());
        }
      }
    }
    return firstOf(all);
  }

  private static String firstOf(List<String> all) {
    if (all.isEmpty()) {
      return Columns.NONE;
    }
    return all.size() <= MAX_ENDPOINTS
        ? String.join(",", all)
        : String.join(",", all.subList(0, MAX_ENDPOINTS))
            + " + "
            + (all.size() - MAX_ENDPOINTS)
            + " more...";
  }

  private static String slicePorts(KubeObject slice) {
    List<String> ports = new ArrayList<>();
    for (JsonNode port : slice.at("/ports")) {
      ports.add(port.path("port").isNumber() ? port.path("port").asText() : "*");
    }
    return ports.isEmpty() ? "<unset>" : firstOf(ports);
  }

  private static String sliceEndpoints(KubeObject slice) {
    List<String> addresses = new ArrayList<>();
    for (JsonNode endpoint : slice.at("/endpoints")) {
      addresses.addAll(texts(endpoint.path("addresses")));
    }
    return addresses.isEmpty() ? "<unset>" : firstOf(addresses);
  }

  static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(element -> texts.add(element.asText()));
    return texts;
  }

  private static String involved(KubeObject event) {
    String kind = event.text("/involvedObject/kind").toLowerCase(java.util.Locale.ROOT);
    String name = event.text("/involvedObject/name");
    return name.isEmpty() ? kind : kind + "/" + name;
  }

  private static String eventSource(KubeObject event) {
    String component =
        Columns.orElse(event.text("/source/component"), event.text("/reportingComponent"));
    String host = Columns.orElse(event.text("/source/host"), event.text("/reportingInstance"));
    return host.isEmpty() ? component : component + ", " + host;
  }

  private static String firstSeen(KubeObject event, Instant now) {
    return Columns.since(
        Columns.orElse(event.text("/firstTimestamp"), event.text("/eventTime")), now);
  }

  private static String lastSeen(KubeObject event, Instant now) {
    String last = Columns.orElse(event.text("/lastTimestamp"), event.text("/eventTime"));
    String series = event.text("/series/lastObservedTime");
    int count = Math.max(event.at("/count").asInt(), event.at("/series/count").asInt());
    String seen = Columns.since(Columns.orElse(series, last), now);
    return count > 1 ? seen + " (x" + count + " over " + firstSeen(event, now) + ")" : seen;
  }

  private static String quota(KubeObject quota, boolean limits) {
    Set<String> resources = new LinkedHashSet<>();
    quota.at("/status/hard").properties().forEach(resource -> resources.add(resource.getKey()));
    List<String> shown = new ArrayList<>();
    for (String resource : resources.stream().sorted().toList()) {
      if (resource.startsWith("limits") == limits) {
        shown.add(
            resource
                + ": "
                + quota.at("/status/used").path(resource).asText("0")
                + "/"
                + quota.at("/status/hard").path(resource).asText());
      }
    }
    return String.join(", ", shown);
  }
}
