package dev.paramecium.deploy.experiment;

import dev.paramecium.deploy.experiment.History.Policies;
import dev.paramecium.deploy.experiment.History.Request;
import dev.paramecium.deploy.experiment.History.Span;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What happened when, in seconds since the workload began.
 *
 * @param faults from the request that began each to the end of the one that ended it
 * @param stalls when the machine stood still
 * @param policyChanges when a write of a policy was answered
 * @param requests of each flow, in order
 * @param inSync when every node's maps were right after the faults; the run's end if they never
 *     were
 */
public record Timeline(
    List<Bar> faults,
    List<Bar> stalls,
    List<Double> policyChanges,
    Map<String, List<Answer>> requests,
    double inSync) {

  /** Something that lasted. */
  public record Bar(String what, double from, double to) {}

  /** When a request ended, and whether it was answered. */
  public record Answer(double at, boolean delivered) {}

  static Timeline of(History history, Instant begun, Instant inSync) {
    Map<String, List<Answer>> requests = new LinkedHashMap<>();
    for (Request request : history.requests) {
      requests
          .computeIfAbsent(request.flow(), _ -> new ArrayList<>())
          .add(new Answer(seconds(begun, request.end()), request.delivered()));
    }
    List<Double> changes = new ArrayList<>();
    for (Policies policies : history.policies) {
      if (policies.answered().isAfter(begun)) {
        changes.add(seconds(begun, policies.answered()));
      }
    }
    return new Timeline(
        bars(history.faults, begun),
        bars(history.stalls, begun),
        changes,
        requests,
        seconds(begun, inSync));
  }

  /** Those of the run before are not this one's. */
  private static List<Bar> bars(List<Span> spans, Instant begun) {
    List<Bar> bars = new ArrayList<>();
    for (Span span : spans) {
      if (span.to().isAfter(begun)) {
        bars.add(new Bar(span.what(), seconds(begun, span.from()), seconds(begun, span.to())));
      }
    }
    return bars;
  }

  private static double seconds(Instant begun, Instant time) {
    return Math.max(0, Duration.between(begun, time).toMillis() / 1000.0);
  }
}
