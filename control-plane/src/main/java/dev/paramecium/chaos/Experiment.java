package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is common to all experiments: when they run, and what their status says ({@code
 * api/v1alpha1/common_types.go} of Chaos Mesh).
 */
final class Experiment {

  /** Removed when everything is as before. */
  static final String FINALIZER = "chaos-mesh/records";

  /** Timers are no longer than some months. */
  private static final Duration LONGEST_WAIT = Duration.ofHours(1);

  private static final String PAUSE = "experiment.chaos-mesh.org/pause";

  /** Whether something is done to a target. */
  enum Phase {
    INJECTED("Injected"),
    NOT_INJECTED("Not Injected");

    private final String word;

    Phase(String word) {
      this.word = word;
    }
  }

  /**
   * One target.
   *
   * @param id {@code namespace/pod}, {@code namespace/pod/container}, or a node's name
   * @param selectorKey {@code .} for those that the selector chose, {@code .Target} for the other
   *     side
   * @param uid which object of that name was chosen; empty if any will do
   * @param node where it is, if somebody there has to act; empty otherwise
   * @param message why the last attempt failed; empty if it did not
   */
  record Record(
      String id, String selectorKey, Phase phase, String uid, String node, String message) {

    static final String SOURCE = ".";
    static final String TARGET = ".Target";

    Record(String id, String selectorKey, Phase phase) {
      this(id, selectorKey, phase, "", "", "");
    }

    /** A target to which nothing was done yet. */
    static Record chosen(String id, String uid, String node) {
      return new Record(id, SOURCE, Phase.NOT_INJECTED, uid, node, "");
    }

    Record in(Phase next) {
      return new Record(id, selectorKey, next, uid, node, next == phase ? message : "");
    }

    Record failed(String why) {
      return new Record(id, selectorKey, phase, uid, node, why);
    }

    /** Whether both are the same target, whatever was done to it. */
    boolean isOf(Record other) {
      return id.equals(other.id) && selectorKey.equals(other.selectorKey) && uid.equals(other.uid);
    }

    boolean isInjected() {
      return phase == Phase.INJECTED;
    }
  }

  private final KubeObject chaos;

  Experiment(KubeObject chaos) {
    this.chaos = chaos;
  }

  /** {@code namespace/name}; the name alone where there are no namespaces. */
  static String source(KubeObject chaos) {
    return chaos.namespace().isEmpty() ? chaos.name() : chaos.namespace() + "/" + chaos.name();
  }

  boolean isDeleted() {
    return chaos.at("/metadata/deletionTimestamp").isTextual();
  }

  boolean isPaused() {
    return chaos.at("/metadata/annotations").path(PAUSE).asText().equals("true");
  }

  boolean hasFinalizer() {
    for (JsonNode finalizer : chaos.at("/metadata/finalizers")) {
      if (finalizer.asText().equals(FINALIZER)) {
        return true;
      }
    }
    return false;
  }

  /** The same object with the finalizer, or without it. */
  KubeObject withFinalizer(boolean wanted) {
    KubeObject copy = chaos.copy();
    List<String> others = new ArrayList<>();
    for (JsonNode finalizer : chaos.at("/metadata/finalizers")) {
      if (!finalizer.asText().equals(FINALIZER)) {
        others.add(finalizer.asText());
      }
    }
    ArrayNode list = copy.json().withObject("/metadata").putArray("finalizers");
    others.forEach(list::add);
    if (wanted) {
      list.add(FINALIZER);
    }
    return copy;
  }

  /** When to look at its duration again; zero, which is never, if it has none. */
  Duration nextLook(Instant now) {
    Instant end = end();
    if (end == null) {
      return Duration.ZERO;
    }
    Duration left = Duration.between(now, end);
    return left.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : left;
  }

  /** When its duration is over; null if it has none. */
  @Nullable Instant end() {
    String duration = chaos.text("/spec/duration");
    return duration.isEmpty()
        ? null
        : Instant.parse(chaos.text("/metadata/creationTimestamp"))
            .plusNanos(Quantities.nanos(duration));
  }

  /** Whether it is to act now. */
  boolean isToRun(Instant now) {
    Instant end = end();
    return !isDeleted() && !isPaused() && (end == null || end.isAfter(now));
  }

  /** Whether its time is up. */
  boolean isOver(Instant now) {
    Instant end = end();
    return end != null && !end.isAfter(now);
  }

  /** Whether nothing of it is still to come: killed is killed, and the rest is as before. */
  boolean hasEnded(Instant now) {
    List<Record> records = records();
    return List.of("pod-kill", "container-kill").contains(chaos.text("/spec/action"))
        ? !records.isEmpty() && records.stream().allMatch(Record::isInjected)
        : isOver(now) && !runs() && records.stream().noneMatch(Record::isInjected);
  }

  /** Whether its status says that it is to act. */
  boolean runs() {
    return chaos.text("/status/experiment/desiredPhase").equals("Run");
  }

  List<Record> records() {
    List<Record> records = new ArrayList<>();
    for (JsonNode record : chaos.at("/status/experiment/containerRecords")) {
      records.add(
          new Record(
              record.path("id").asText(),
              record.path("selectorKey").asText(),
              record.path("phase").asText().equals(Phase.INJECTED.word)
                  ? Phase.INJECTED
                  : Phase.NOT_INJECTED,
              record.path("uid").asText(),
              record.path("node").asText(),
              record.path("message").asText()));
    }
    return records;
  }

  /** The object with the status that these records make; the same object if nothing changes. */
  KubeObject withStatus(boolean run, List<Record> records) {
    ObjectNode status = JsonNodeFactory.instance.objectNode();
    ArrayNode conditions = status.putArray("conditions");
    condition(conditions, "Selected", !records.isEmpty());
    condition(
        conditions,
        "AllInjected",
        !records.isEmpty() && records.stream().allMatch(r -> r.phase() == Phase.INJECTED));
    condition(
        conditions,
        "AllRecovered",
        records.stream().allMatch(r -> r.phase() == Phase.NOT_INJECTED));
    condition(conditions, "Paused", isPaused());
    ObjectNode experiment = status.putObject("experiment");
    experiment.put("desiredPhase", run ? "Run" : "Stop");
    ArrayNode list = experiment.putArray("containerRecords");
    for (Record record : records) {
      ObjectNode told =
          list.addObject()
              .put("id", record.id())
              .put("selectorKey", record.selectorKey())
              .put("phase", record.phase().word);
      if (!record.uid().isEmpty()) {
        told.put("uid", record.uid());
      }
      if (!record.node().isEmpty()) {
        told.put("node", record.node());
      }
      if (!record.message().isEmpty()) {
        told.put("message", record.message());
      }
    }
    if (Objects.equals(status, chaos.at("/status"))) {
      return chaos;
    }
    KubeObject copy = chaos.copy();
    copy.json().set("status", status);
    return copy;
  }

  private static void condition(ArrayNode conditions, String type, boolean holds) {
    conditions.addObject().put("type", type).put("status", holds ? "True" : "False");
  }
}
