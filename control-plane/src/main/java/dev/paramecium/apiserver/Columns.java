package dev.paramecium.apiserver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;

/**
 * The columns of the built-in kinds ({@code pkg/printers/internalversion/printers.go}) and of
 * Cilium's CRDs.
 */
final class Columns {

  static final String NONE = "<none>";
  static final String UNKNOWN = "<unknown>";

  private Columns() {}

  static ServedKind.Column column(String name, ServedKind.Cell cell) {
    return new ServedKind.Column(name, "string", name.equals("Name") ? "name" : "", 0, cell);
  }

  static ServedKind.Column integer(String name, ServedKind.Cell cell) {
    return new ServedKind.Column(name, "integer", "", 0, cell);
  }

  /** Only with {@code -o wide}. */
  static ServedKind.Column wide(String name, ServedKind.Cell cell) {
    return new ServedKind.Column(name, "string", "", 1, cell);
  }

  /** The text at a JSON pointer. */
  static ServedKind.Column at(String name, String pointer) {
    return column(name, (object, _) -> object.text(pointer));
  }

  /** The number at a JSON pointer, 0 where there is none. */
  static ServedKind.Column count(String name, String pointer) {
    return integer(name, (object, _) -> Integer.toString(object.at(pointer).asInt()));
  }

  static final ServedKind.Column NAME = column("Name", (object, _) -> object.name());
  static final ServedKind.Column AGE = column("Age", Columns::age);

  static List<ServedKind.Column> namespace() {
    return List.of(NAME, column("Status", (object, _) -> object.text("/status/phase")), AGE);
  }

  static List<ServedKind.Column> node() {
    return List.of(
        NAME,
        column("Status", (object, _) -> nodeStatus(object)),
        column("Roles", (object, _) -> roles(object)),
        AGE,
        at("Version", "/status/nodeInfo/kubeletVersion"),
        wide("Internal-IP", (object, _) -> address(object, "InternalIP")),
        wide("External-IP", (object, _) -> address(object, "ExternalIP")),
        wide("OS-Image", (object, _) -> orElse(object.text("/status/nodeInfo/osImage"), UNKNOWN)),
        wide(
            "Kernel-Version",
            (object, _) -> orElse(object.text("/status/nodeInfo/kernelVersion"), UNKNOWN)),
        wide(
            "Container-Runtime",
            (object, _) ->
                orElse(object.text("/status/nodeInfo/containerRuntimeVersion"), UNKNOWN)));
  }

  static List<ServedKind.Column> pod() {
    return List.of(
        NAME,
        column("Ready", (object, _) -> ready(object)),
        column("Status", (object, _) -> podStatus(object)),
        column("Restarts", Columns::restarts),
        AGE,
        wide("IP", (object, _) -> orElse(object.text("/status/podIP"), NONE)),
        wide("Node", (object, _) -> orElse(object.text("/spec/nodeName"), NONE)),
        wide(
            "Nominated Node",
            (object, _) -> orElse(object.text("/status/nominatedNodeName"), NONE)),
        wide("Readiness Gates", (_, _) -> NONE));
  }

  static List<ServedKind.Column> ciliumEndpoint() {
    return List.of(
        NAME,
        at("Endpoint ID", "/status/id"),
        at("Identity ID", "/status/identity/id"),
        at("Ingress Enforcement", "/status/policy/ingress/enforcing"),
        at("Egress Enforcement", "/status/policy/egress/enforcing"),
        wide("Visibility Policy", (object, _) -> object.text("/status/visibility-policy-status")),
        at("Endpoint State", "/status/state"),
        at("IPv4", "/status/networking/addressing/0/ipv4"),
        at("IPv6", "/status/networking/addressing/0/ipv6"));
  }

  static List<ServedKind.Column> ciliumIdentity() {
    return List.of(
        NAME,
        column(
            "Namespace",
            (object, _) ->
                object.at("/metadata/labels").path("io.kubernetes.pod.namespace").asText()),
        AGE);
  }

  static List<ServedKind.Column> ciliumNode() {
    return List.of(
        NAME,
        column("CiliumInternalIP", (object, _) -> specAddress(object, "CiliumInternalIP")),
        column("InternalIP", (object, _) -> specAddress(object, "InternalIP")),
        AGE);
  }

  static String orElse(String text, String otherwise) {
    return text.isEmpty() ? otherwise : text;
  }

  static String age(KubeObject object, Instant now) {
    return since(object.text("/metadata/creationTimestamp"), now);
  }

  static String since(String timestamp, Instant now) {
    try {
      return duration(Duration.between(Instant.parse(timestamp), now));
    } catch (DateTimeParseException e) {
      return UNKNOWN;
    }
  }

  /** {@code duration.HumanDuration} of apimachinery. */
  static String duration(Duration duration) {
    long seconds = Math.max(0, duration.toSeconds());
    long minutes = seconds / 60;
    long hours = minutes / 60;
    long days = hours / 24;
    if (seconds < 120) {
      return seconds + "s";
    } else if (minutes < 10) {
      return minutes + "m" + (seconds % 60 == 0 ? "" : seconds % 60 + "s");
    } else if (hours < 3) {
      return minutes + "m";
    } else if (hours < 8) {
      return hours + "h" + (minutes % 60 == 0 ? "" : minutes % 60 + "m");
    } else if (hours < 48) {
      return hours + "h";
    } else if (days < 8) {
      return days + "d" + (hours % 24 == 0 ? "" : hours % 24 + "h");
    } else if (days < 730) {
      return days + "d";
    }
    return days / 365 + "y" + (days % 365 == 0 ? "" : days % 365 + "d");
  }

  private static String nodeStatus(KubeObject node) {
    String status = "Unknown";
    for (JsonNode condition : node.at("/status/conditions")) {
      if (condition.path("type").asText().equals("Ready")) {
        status = condition.path("status").asText().equals("True") ? "Ready" : "NotReady";
      }
    }
    return node.at("/spec/unschedulable").asBoolean() ? status + ",SchedulingDisabled" : status;
  }

  private static String roles(KubeObject node) {
    List<String> roles = new ArrayList<>();
    for (String label : node.labels().keySet()) {
      if (label.startsWith("node-role.kubernetes.io/")) {
        roles.add(label.substring(label.indexOf('/') + 1));
      }
    }
    return roles.isEmpty() ? NONE : String.join(",", roles);
  }

  private static String address(KubeObject node, String type) {
    for (JsonNode address : node.at("/status/addresses")) {
      if (address.path("type").asText().equals(type)) {
        return address.path("address").asText();
      }
    }
    return NONE;
  }

  private static String specAddress(KubeObject node, String type) {
    for (JsonNode address : node.at("/spec/addresses")) {
      if (address.path("type").asText().equals(type)) {
        return address.path("ip").asText();
      }
    }
    return "";
  }

  private static String ready(KubeObject pod) {
    int ready = 0;
    for (JsonNode status : pod.at("/status/containerStatuses")) {
      ready += status.path("ready").asBoolean() ? 1 : 0;
    }
    return ready + "/" + pod.at("/spec/containers").size();
  }

  /**
   * {@code printPod}: the phase, overridden by what a container waits for or ended with, and by
   * deletion.
   */
  private static String podStatus(KubeObject pod) {
    String reason = orElse(pod.text("/status/reason"), pod.text("/status/phase"));
    for (JsonNode status : pod.at("/status/containerStatuses")) {
      JsonNode state = status.path("state");
      if (!state.path("waiting").path("reason").asText().isEmpty()) {
        reason = state.path("waiting").path("reason").asText();
      } else if (!state.path("terminated").path("reason").asText().isEmpty()) {
        reason = state.path("terminated").path("reason").asText();
      } else if (state.has("terminated")) {
        reason = "ExitCode:" + state.path("terminated").path("exitCode").asInt();
      }
    }
    if (!pod.text("/metadata/deletionTimestamp").isEmpty()) {
      return pod.text("/status/reason").equals("NodeLost") ? "Unknown" : "Terminating";
    }
    return reason;
  }

  private static String restarts(KubeObject pod, Instant now) {
    int restarts = 0;
    String last = "";
    for (JsonNode status : pod.at("/status/containerStatuses")) {
      restarts += status.path("restartCount").asInt();
      String finished = status.path("lastState").path("terminated").path("finishedAt").asText();
      last = finished.compareTo(last) > 0 ? finished : last;
    }
    return restarts > 0 && !last.isEmpty()
        ? restarts + " (" + since(last, now) + " ago)"
        : Integer.toString(restarts);
  }
}
