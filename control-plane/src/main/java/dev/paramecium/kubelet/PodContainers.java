package dev.paramecium.kubelet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.kubelet.ContainerRecord.Role;
import dev.paramecium.kubelet.ContainerRecord.State;
import dev.paramecium.syscall.ContainerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The containers of one pod, init containers first: which of them should run now, and which had to
 * be restarted before.
 */
final class PodContainers {

  private final String pod;
  private final String uid;
  private final String restartPolicy;
  private final List<ContainerRecord> records = new ArrayList<>();
  private final Map<String, String> logIds = new HashMap<>();

  /**
   * Containers as the stored status and the runtime left them: what still runs goes on, what ran
   * and is lost runs again, counted.
   *
   * @param sandbox what the runtime has of this pod, null if nothing
   */
  PodContainers(KubeObject pod, Sandboxes.@Nullable Found sandbox, Instant now) {
    this.pod = pod.namespace() + "_" + pod.name();
    this.uid = pod.uid();
    String policy = pod.text("/spec/restartPolicy");
    this.restartPolicy = policy.isEmpty() ? "Always" : policy;
    for (Role role : Role.values()) {
      for (JsonNode spec : pod.at("/spec/" + role.list)) {
        records.add(new ContainerRecord(spec, role));
      }
    }
    for (ContainerRecord container : records) {
      JsonNode before = status(pod, container);
      ContainerInfo run = sandbox == null ? null : sandbox.latest(container.name());
      if (run != null) {
        logIds.put(container.name(), run.spec().id());
      }
      if (run != null && !knowsEnd(before, run)) {
        container.takeOver(run, before, instant(before.at("/state/running/startedAt"), now));
      } else {
        recall(container, before, now);
      }
    }
  }

  private static JsonNode status(KubeObject pod, ContainerRecord container) {
    for (JsonNode status : pod.at("/status/" + container.role.statuses)) {
      if (status.path("name").asText().equals(container.name())) {
        return status;
      }
    }
    return MissingNode.getInstance();
  }

  /** Whether a container's status says already that a run has ended. */
  private static boolean knowsEnd(JsonNode status, ContainerInfo run) {
    int counted = status.path("restartCount").asInt();
    return counted > run.spec().attempt()
        || counted == run.spec().attempt() && status.at("/state/terminated").isObject();
  }

  private void recall(ContainerRecord container, JsonNode before, Instant now) {
    container.restartCount = before.path("restartCount").asInt();
    JsonNode running = before.at("/state/running");
    JsonNode terminated = before.at("/state/terminated");
    if (terminated.isObject()) {
      State.Terminated end =
          new State.Terminated(
              terminated.path("exitCode").asInt(),
              terminated.path("reason").asText(),
              instant(terminated.path("startedAt"), now),
              instant(terminated.path("finishedAt"), now),
              id(terminated));
      container.state = end;
      boolean again =
          container.role == Role.MAIN
              && (restartPolicy.equals("Always")
                  || restartPolicy.equals("OnFailure") && end.exitCode() != 0);
      if (again) {
        container.prepareRestart();
      }
    } else if (running.isObject()) {
      container.state =
          new State.Terminated(
              255, "Unknown", instant(running.path("startedAt"), now), now, id(before));
      if (!restartPolicy.equals("Never") && container.role != Role.EPHEMERAL) {
        container.prepareRestart();
      }
    }
  }

  private static String id(JsonNode status) {
    return status.path("containerID").asText().replace(ContainerRecord.RUNTIME, "");
  }

  private static Instant instant(JsonNode time, Instant otherwise) {
    return time.isTextual() ? Instant.parse(time.asText()) : otherwise;
  }

  List<ContainerRecord> all() {
    return Collections.unmodifiableList(records);
  }

  /** The container of that name, or the first that is no init container if {@code name} is "". */
  @Nullable ContainerRecord find(String name) {
    for (ContainerRecord container : records) {
      if (name.isEmpty() ? container.role == Role.MAIN : container.name().equals(name)) {
        return container;
      }
    }
    return null;
  }

  /** The container whose run has that id; null if that run is over. */
  @Nullable ContainerRecord running(String id) {
    for (ContainerRecord container : records) {
      if (!id.isEmpty() && container.id.equals(id)) {
        return container;
      }
    }
    return null;
  }

  /**
   * Takes note of ephemeral containers that the pod has got since.
   *
   * @return whether there are any
   */
  boolean add(KubeObject now) {
    boolean any = false;
    for (JsonNode spec : now.at("/spec/" + Role.EPHEMERAL.list)) {
      if (find(spec.path("name").asText()) == null) {
        records.add(new ContainerRecord(spec, Role.EPHEMERAL));
        any = true;
      }
    }
    return any;
  }

  /** The run whose processes an ephemeral container wants to see; empty if it wants none. */
  String target(ContainerRecord container) {
    ContainerRecord target = find(container.spec.path("targetContainerName").asText("-"));
    return target == null ? "" : target.id;
  }

  /** Those that run, or are about to. */
  List<ContainerRecord> busy() {
    return records.stream().filter(c -> !c.id.isEmpty() && (c.isRunning() || c.starting)).toList();
  }

  /** Whether a container that fails is started again. */
  boolean areRestarted() {
    return !restartPolicy.equals("Never");
  }

  /** The pod's phase, as far as its containers decide it. */
  String phase() {
    return PodStatus.phase(restartPolicy, records);
  }

  /** Whether none of them will run again. */
  boolean areOver() {
    String phase = phase();
    return phase.equals("Succeeded") || phase.equals("Failed");
  }

  /** Whether one of them runs, or is about to. */
  boolean areBusy() {
    return records.stream().anyMatch(c -> c.isRunning() || c.starting);
  }

  /**
   * Gives {@code start} each container that should run and does not, or {@code backOff} one that
   * begins to wait because it crashed.
   *
   * @return how long the next of those has to wait that may not start yet, zero if there is none
   */
  Duration startDue(
      Instant now, Consumer<ContainerRecord> start, Consumer<ContainerRecord> backOff) {
    Duration wait = Duration.ZERO;
    for (ContainerRecord container : due()) {
      Duration due = startIfDue(container, now, start, backOff);
      wait = wait.isZero() || !due.isZero() && due.compareTo(wait) < 0 ? due : wait;
    }
    return wait;
  }

  /** Ephemeral ones at any time; one init container after the other, then all main ones. */
  private List<ContainerRecord> due() {
    List<ContainerRecord> due = new ArrayList<>(of(Role.EPHEMERAL));
    for (ContainerRecord init : of(Role.INIT)) {
      if (!init.hasSucceeded()) {
        due.add(init);
        return due;
      }
    }
    due.addAll(of(Role.MAIN));
    return due;
  }

  private List<ContainerRecord> of(Role role) {
    return records.stream().filter(container -> container.role == role).toList();
  }

  private Duration startIfDue(
      ContainerRecord container,
      Instant now,
      Consumer<ContainerRecord> start,
      Consumer<ContainerRecord> backOff) {
    if (!shouldStart(container) || container.starting) {
      return Duration.ZERO;
    }
    Duration wait = container.waitUntilStart(now);
    if (wait.isZero()) {
      container.prepareRestart();
      start.accept(container);
    } else if (container.state instanceof State.Terminated) {
      container.crashLoop(pod, uid);
      backOff.accept(container);
    }
    return wait;
  }

  private boolean shouldStart(ContainerRecord container) {
    return switch (container.state) {
      case State.Running _ -> false;
      case State.Waiting _ -> true;
      case State.Terminated _ when container.role == Role.EPHEMERAL -> false;
      case State.Terminated _ when container.isChanged() -> true;
      case State.Terminated terminated ->
          switch (restartPolicy) {
            case "Never" -> false;
            case "OnFailure" -> terminated.exitCode() != 0;
            default -> container.role == Role.MAIN || terminated.exitCode() != 0;
          };
    };
  }

  /**
   * Logs are read from this run of the container on.
   *
   * @return the id of the run before, null if this is the first
   */
  @Nullable String noteLog(ContainerRecord container) {
    return logIds.put(container.name(), container.id);
  }

  /** The run whose log is read, null before the first. */
  @Nullable String logId(ContainerRecord container) {
    return logIds.get(container.name());
  }

  /** The runs that the runtime still has. */
  Collection<String> kept() {
    return List.copyOf(logIds.values());
  }
}
