package dev.paramecium.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.api.KubeObject;
import dev.paramecium.api.ResourceType;
import dev.paramecium.controller.Reconciler;
import dev.paramecium.controller.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The course of an experiment whose faults lie on links.
 *
 * <pre>
 *   choose targets --&gt; wait until each is Injected --&gt; deleted, paused or time up
 *     --&gt; wait until each is Not Injected --&gt; let the object go
 * </pre>
 */
final class Course {

  /** What the target's node has done. */
  enum State {
    INJECTED,
    RECOVERED,
    /** It has not answered yet. */
    PENDING,
    /** The fault lies on the other side alone. */
    NOT_CONCERNED;

    /**
     * @param link the object that tells the target's node what to do, and whose status says what it
     *     did; null if there is none
     * @param exists whether the target itself does
     */
    static State of(@Nullable KubeObject link, String source, boolean exists) {
      if (link == null || !exists) {
        return RECOVERED;
      }
      if (!isObserved(link)) {
        return PENDING;
      }
      return mentions(link, source) ? INJECTED : RECOVERED;
    }

    private static boolean isObserved(KubeObject link) {
      return link.at("/status/observedGeneration").asLong(-1)
              == link.at("/metadata/generation").asLong()
          && link.text("/status/failedMessage").isEmpty();
    }

    private static boolean mentions(KubeObject link, String source) {
      for (String list : List.of("tcs", "iptables")) {
        for (JsonNode entry : link.at("/spec/" + list)) {
          if (entry.path("source").asText().equals(source)) {
            return true;
          }
        }
      }
      return false;
    }
  }

  private Course() {}

  /** The next step. */
  static Reconciler.Plan plan(
      ResourceType type,
      KubeObject chaos,
      Instant now,
      Supplier<List<Experiment.Record>> choose,
      BiFunction<Experiment.Record, List<Experiment.Record>, State> state) {
    Experiment experiment = new Experiment(chaos);
    if (!experiment.isDeleted() && !experiment.hasFinalizer()) {
      return now(new Write.Update(type, experiment.withFinalizer(true)), Duration.ZERO);
    }
    boolean run = experiment.isToRun(now);
    List<Experiment.Record> records = experiment.records();
    if (records.isEmpty() && run) {
      records = choose.get();
    }
    List<Experiment.Record> next = new ArrayList<>();
    for (Experiment.Record record : records) {
      next.add(record.in(phase(record, run, state.apply(record, records))));
    }
    Duration again = run ? experiment.nextLook(now) : Duration.ZERO;
    KubeObject told = experiment.withStatus(run, next);
    if (!told.equals(chaos)) {
      return now(new Write.UpdateStatus(type, told), again);
    }
    boolean over =
        experiment.isDeleted()
            && next.stream().allMatch(r -> r.phase() == Experiment.Phase.NOT_INJECTED);
    if (over && experiment.hasFinalizer()) {
      return now(new Write.Update(type, experiment.withFinalizer(false)), Duration.ZERO);
    }
    return new Reconciler.Plan(List.of(), again);
  }

  private static Experiment.Phase phase(Experiment.Record record, boolean run, State state) {
    return switch (state) {
      case INJECTED -> Experiment.Phase.INJECTED;
      case RECOVERED -> Experiment.Phase.NOT_INJECTED;
      case NOT_CONCERNED -> run ? Experiment.Phase.INJECTED : Experiment.Phase.NOT_INJECTED;
      case PENDING -> run ? Experiment.Phase.NOT_INJECTED : record.phase();
    };
  }

  private static Reconciler.Plan now(Write write, Duration again) {
    return new Reconciler.Plan(List.of(write), again);
  }
}
