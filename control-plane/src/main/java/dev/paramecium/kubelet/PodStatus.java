package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.kubelet.ContainerRecord.Role;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A Pod's {@code status} as the kubelet writes it ({@code pkg/kubelet/kubelet_pods.go}). */
final class PodStatus {

  private static final List<String> CONDITIONS =
      List.of("Initialized", "Ready", "ContainersReady", "PodScheduled");

  private final Map<String, Instant> transitions = new HashMap<>();
  private final Map<String, String> known = new HashMap<>();

  /** Takes over when each condition last changed from a status that was stored before. */
  PodStatus(KubeObject pod) {
    for (JsonNode condition : pod.at("/status/conditions")) {
      String type = condition.path("type").asText();
      String time = condition.path("lastTransitionTime").asText();
      if (CONDITIONS.contains(type) && !time.isEmpty()) {
        known.put(type, condition.path("status").asText());
        transitions.put(type, Instant.parse(time));
      }
    }
  }

  /** What the containers' states amount to. */
  static String phase(String restartPolicy, List<ContainerRecord> containers) {
    List<ContainerRecord> inits = containers.stream().filter(c -> c.role == Role.INIT).toList();
    List<ContainerRecord> mains = containers.stream().filter(c -> c.role == Role.MAIN).toList();
    if (inits.stream().anyMatch(c -> !c.hasSucceeded())) {
      boolean failed =
          restartPolicy.equals("Never")
              && inits.stream().anyMatch(c -> isTerminated(c) && !c.hasSucceeded());
      return failed ? "Failed" : "Pending";
    }
    boolean allOver = mains.stream().allMatch(c -> isTerminated(c));
    if (allOver && !restartPolicy.equals("Always")) {
      boolean allSucceeded = mains.stream().allMatch(ContainerRecord::hasSucceeded);
      if (allSucceeded) {
        return "Succeeded";
      }
      if (restartPolicy.equals("Never")) {
        return "Failed";
      }
    }
    boolean neverRan =
        mains.stream().allMatch(c -> !c.isRunning() && !isTerminated(c) && c.last == null);
    return neverRan ? "Pending" : "Running";
  }

  private static boolean isTerminated(ContainerRecord container) {
    return container.state instanceof ContainerRecord.State.Terminated;
  }

  /**
   * The status to store.
   *
   * @param podIp empty while there is none
   */
  ObjectNode build(
      KubeObject pod,
      String phase,
      List<ContainerRecord> containers,
      String podIp,
      String hostIp,
      Instant startTime,
      Instant now) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    status.put("phase", phase);
    boolean over = phase.equals("Succeeded") || phase.equals("Failed");
    boolean initialized =
        containers.stream()
            .filter(c -> c.role == Role.INIT)
            .allMatch(ContainerRecord::hasSucceeded);
    List<String> unready =
        containers.stream()
            .filter(c -> c.role == Role.MAIN && !c.isReady())
            .map(ContainerRecord::name)
            .toList();
    List<String> incomplete =
        containers.stream()
            .filter(c -> c.role == Role.INIT && !c.hasSucceeded())
            .map(ContainerRecord::name)
            .toList();
    String why = over ? "PodCompleted" : "ContainersNotReady";
    String which = over ? "" : "containers with unready status: " + list(unready);
    boolean containersReady = unready.isEmpty() && initialized && !over;
    List<String> shut = containersReady ? shutGates(pod) : List.of();
    boolean ready = containersReady && shut.isEmpty();
    ArrayNode conditions = status.putArray("conditions");
    condition(
        conditions,
        "Initialized",
        initialized,
        "ContainersNotInitialized",
        "containers with incomplete status: " + list(incomplete),
        now);
    if (shut.isEmpty()) {
      condition(conditions, "Ready", ready, why, which, now);
    } else {
      condition(conditions, "Ready", false, "ReadinessGatesNotReady", String.join(", ", shut), now);
    }
    condition(conditions, "ContainersReady", containersReady, why, which, now);
    condition(conditions, "PodScheduled", true, "", "", now);
    for (JsonNode foreign : pod.at("/status/conditions")) {
      if (!CONDITIONS.contains(foreign.path("type").asText())) {
        conditions.add(foreign.deepCopy());
      }
    }
    status.put("hostIP", hostIp);
    if (!podIp.isEmpty()) {
      status.put("podIP", podIp);
      status.putArray("podIPs").addObject().put("ip", podIp);
    }
    status.put("startTime", time(startTime));
    for (Role role : Role.values()) {
      ArrayNode statuses = JsonNodeFactory.instance.arrayNode();
      containers.stream().filter(c -> c.role == role).forEach(c -> statuses.add(statusOf(c)));
      if (role == Role.MAIN || !statuses.isEmpty()) {
        status.set(role.statuses, statuses);
      }
    }
    status.put("qosClass", qosClass(pod));
    return status;
  }

  /** Why each readiness gate that does not let the pod be ready does not. */
  private static List<String> shutGates(KubeObject pod) {
    List<String> shut = new ArrayList<>();
    for (JsonNode gate : pod.at("/spec/readinessGates")) {
      String type = gate.path("conditionType").asText();
      JsonNode found = null;
      for (JsonNode condition : pod.at("/status/conditions")) {
        if (condition.path("type").asText().equals(type)) {
          found = condition;
        }
      }
      if (found == null) {
        shut.add("corresponding condition of pod readiness gate \"" + type + "\" does not exist.");
      } else if (!found.path("status").asText().equals("True")) {
        shut.add(
            "the status of pod readiness gate \""
                + type
                + "\" is not \"True\", but "
                + found.path("status").asText());
      }
    }
    return shut;
  }

  private static String list(List<String> names) {
    return "[" + String.join(" ", names) + "]";
  }

  private void condition(
      ArrayNode conditions,
      String type,
      boolean holds,
      String reason,
      String message,
      Instant now) {
    String value = holds ? "True" : "False";
    if (!value.equals(known.put(type, value))) {
      transitions.put(type, now);
    }
    ObjectNode condition = conditions.addObject();
    condition.put("type", type);
    condition.put("status", value);
    condition.putNull("lastProbeTime");
    condition.put("lastTransitionTime", time(transitions.getOrDefault(type, now)));
    if (!holds) {
      condition.put("reason", reason);
      if (!message.isEmpty()) {
        condition.put("message", message);
      }
    }
  }

  private static ObjectNode statusOf(ContainerRecord container) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    status.put("name", container.name());
    state(status.putObject("state"), container.state);
    ObjectNode lastState = status.putObject("lastState");
    if (container.last != null) {
      state(lastState, container.last);
    }
    status.put(
        "ready",
        switch (container.role) {
          case INIT -> container.hasSucceeded();
          case MAIN -> container.isReady();
          case EPHEMERAL -> false;
        });
    status.put("restartCount", container.restartCount);
    status.put("image", canonicalImage(container.image()));
    boolean pulled = container.isRunning() || container.last != null || isTerminated(container);
    status.put("imageID", pulled ? imageId(container.image()) : "");
    if (!container.shownId().isEmpty()) {
      status.put("containerID", ContainerRecord.RUNTIME + container.shownId());
    }
    if (container.role == Role.MAIN) {
      status.put("started", container.isRunning() && container.started);
    }
    return status;
  }

  private static void state(ObjectNode node, ContainerRecord.State state) {
    switch (state) {
      case ContainerRecord.State.Waiting(String reason, String message) -> {
        ObjectNode waiting = node.putObject("waiting");
        waiting.put("reason", reason);
        if (!message.isEmpty()) {
          waiting.put("message", message);
        }
      }
      case ContainerRecord.State.Running(Instant startedAt) ->
          node.putObject("running").put("startedAt", time(startedAt));
      case ContainerRecord.State.Terminated end -> {
        ObjectNode terminated = node.putObject("terminated");
        terminated
            .put("exitCode", end.exitCode())
            .put("reason", end.reason())
            .put("startedAt", time(end.startedAt()))
            .put("finishedAt", time(end.finishedAt()));
        if (!end.id().isEmpty()) {
          terminated.put("containerID", ContainerRecord.RUNTIME + end.id());
        }
      }
    }
  }

  /** Guaranteed, Burstable or BestEffort, by the containers' resources. */
  static String qosClass(KubeObject pod) {
    boolean any = false;
    boolean guaranteed = true;
    for (JsonNode container : pod.at("/spec/containers")) {
      JsonNode limits = container.at("/resources/limits");
      JsonNode requests = container.at("/resources/requests");
      for (String resource : Set.of("cpu", "memory")) {
        String limit = limits.path(resource).asText();
        String request = requests.path(resource).asText();
        any |= !limit.isEmpty() || !request.isEmpty();
        guaranteed &= !limit.isEmpty() && (request.isEmpty() || request.equals(limit));
      }
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
  }

  /** {@code curlimages/curl} is {@code docker.io/curlimages/curl:latest}. */
  static String canonicalImage(String image) {
    String name = image;
    int slash = name.indexOf('/');
    String first = slash < 0 ? "" : name.substring(0, slash);
    if (slash < 0) {
      name = "docker.io/library/" + name;
    } else if (!first.contains(".") && !first.contains(":") && !first.equals("localhost")) {
      name = "docker.io/" + name;
    }
    boolean tagged = name.lastIndexOf(':') > name.lastIndexOf('/');
    return tagged || name.contains("@") ? name : name + ":latest";
  }

  /** No registry is asked: the digest is that of the image's name. */
  private static String imageId(String image) {
    String canonical = canonicalImage(image);
    int end = canonical.indexOf('@');
    String name = end < 0 ? canonical : canonical.substring(0, end);
    int colon = name.lastIndexOf(':');
    String repository = colon > name.lastIndexOf('/') ? name.substring(0, colon) : name;
    return repository + "@sha256:" + sha256(canonical);
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** RFC 3339 in whole seconds, as Kubernetes writes times. */
  static String time(Instant instant) {
    return instant.truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
