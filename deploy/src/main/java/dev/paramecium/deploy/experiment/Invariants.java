package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.experiment.History.Ends;
import dev.paramecium.deploy.experiment.History.Request;
import dev.paramecium.deploy.experiment.History.Seen;
import dev.paramecium.deploy.experiment.History.Span;
import dev.paramecium.deploy.experiment.History.Written;
import dev.paramecium.deploy.experiment.Verdict.Case;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/** What must hold in any history. Each check answers with every violation, as a sentence. */
final class Invariants {

  private Invariants() {}

  static List<Case> all(ExperimentFile file, History history) {
    List<Case> cases = new ArrayList<>();
    cases.add(new Case("no packet delivered that no policy allowed", delivered(file, history)));
    cases.add(new Case("no packet denied that should pass", denied(file, history)));
    cases.add(
        new Case("one identity for a label set, one label set for an identity", ids(history)));
    cases.add(new Case("no address on two pods", addresses(history)));
    cases.add(
        new Case("no acknowledged write lost, none invented, watches complete", writes(history)));
    cases.add(
        new Case(
            "after the faults every node's maps are what the objects say", history.differences));
    List<String> unseen = new ArrayList<>();
    for (ExperimentFile.Expected expected : file.expected()) {
      boolean delivered = expected.result().equals("allowed");
      if (history.requests.stream()
          .noneMatch(r -> r.flow().equals(expected.flow()) && r.delivered() == delivered)) {
        unseen.add("no request of " + expected.flow() + " was " + expected.result());
      }
    }
    if (!file.expected().isEmpty()) {
      cases.add(new Case("what the experiment is about was seen", unseen));
    }
    List<String> silent = new ArrayList<>();
    for (ExperimentFile.Flow flow : file.flows()) {
      if (history.requests.stream().noneMatch(r -> r.flow().equals(flow.name()))) {
        silent.add("flow " + flow.name() + " made no request: nothing is known of it");
      }
    }
    cases.add(new Case("every flow was recorded", silent));
    cases.add(new Case("the run went to its end", history.failures));
    return cases;
  }

  private static List<String> delivered(ExperimentFile file, History history) {
    List<String> wrong = new ArrayList<>();
    for (Request request : history.requests) {
      if (request.delivered()
          && !excused(file, history, request, "delivered")
          && !anyVerdict(file, history, request, true)) {
        wrong.add(sentence(request, "was delivered, and no policy in force allowed it"));
      }
    }
    return wrong;
  }

  private static List<String> denied(ExperimentFile file, History history) {
    List<String> wrong = new ArrayList<>();
    for (Request request : history.requests) {
      Duration window = file.propagation();
      boolean young = request.start().isBefore(request.ready().plus(window));
      if (!request.delivered()
          && !young
          && !excused(file, history, request, "denied")
          && !anyVerdict(file, history, request, false)) {
        wrong.add(sentence(request, "was not answered, and every policy in force allowed it"));
      }
    }
    return wrong;
  }

  /** Whether a fault of the request's window excuses its result. */
  private static boolean excused(
      ExperimentFile file, History history, Request request, String result) {
    return history.faults.stream().anyMatch(f -> excuses(f, request, result, file.propagation()))
        || history.stalls.stream().anyMatch(s -> excuses(s, request, result, Duration.ZERO));
  }

  private static boolean excuses(Span span, Request request, String result, Duration after) {
    return span.excuses().contains(result)
        && !request.end().isBefore(span.from())
        && !request.start().isAfter(span.to().plus(after));
  }

  /** Whether the policies of some moment of the request's window come to {@code verdict}. */
  private static boolean anyVerdict(
      ExperimentFile file, History history, Request request, boolean verdict) {
    Ends ends = history.ends.get(request.pod());
    return ends == null
        || history.possible(request.start(), request.end(), file.propagation()).stream()
            .anyMatch(
                policies ->
                    PolicyOracle.allows(
                            policies, ends.from(), ends.to(), ends.port(), ends.protocol())
                        == verdict);
  }

  private static String sentence(Request request, String what) {
    return request.end() + " request of " + request.pod() + " (" + request.flow() + ") " + what;
  }

  private static List<String> ids(History history) {
    List<String> wrong = new ArrayList<>();
    Map<String, String> labelsOf = new HashMap<>();
    Map<String, String> numberOf = new HashMap<>();
    for (Seen seen : history.identities) {
      String number = name(seen.object());
      String labels = seen.object().path("security-labels").toString();
      if (seen.type().equals("DELETED")) {
        numberOf.remove(labels, number);
        continue;
      }
      String before = labelsOf.put(number, labels);
      if (before != null && !before.equals(labels)) {
        wrong.add("identity " + number + " stood for " + before + ", then for " + labels);
      }
      String other = numberOf.put(labels, number);
      if (other != null && !other.equals(number)) {
        wrong.add(labels + " had identity " + other + " and " + number + " at the same time");
      }
    }
    return wrong;
  }

  private static List<String> addresses(History history) {
    List<String> wrong = new ArrayList<>();
    Map<String, String> holders = new HashMap<>();
    for (Seen seen : history.pods) {
      JsonNode pod = seen.object();
      String ip = pod.path("status").path("podIP").asText();
      String uid = pod.path("metadata").path("uid").asText();
      if (pod.path("spec").path("hostNetwork").asBoolean()) {
        continue;
      }
      boolean over =
          seen.type().equals("DELETED")
              || Set.of("Succeeded", "Failed").contains(pod.path("status").path("phase").asText());
      holders.values().removeIf(holder -> holder.startsWith(uid + " "));
      if (over || ip.isEmpty()) {
        continue;
      }
      String other = holders.put(ip, uid + " " + name(pod));
      if (other != null) {
        wrong.add(
            seen.at()
                + " "
                + ip
                + " was "
                + other.substring(other.indexOf(' ') + 1)
                + "'s and "
                + name(pod)
                + "'s");
      }
    }
    return wrong;
  }

  private static List<String> writes(History history) {
    List<String> wrong = new ArrayList<>();
    NavigableMap<Long, String> seen = new TreeMap<>();
    Set<String> attempted = new HashSet<>();
    history.written.forEach(w -> attempted.add(w.object() + "=" + w.value()));
    long last = 0;
    for (Seen event : history.configMaps) {
      long revision = event.object().path("metadata").path("resourceVersion").asLong();
      String what = name(event.object()) + "=" + event.object().at("/data/value").asText();
      if (revision <= last) {
        wrong.add("the watch said revision " + revision + " after " + last);
      }
      last = Math.max(last, revision);
      seen.put(revision, what);
      if (!attempted.contains(what)) {
        wrong.add("the watch said " + what + ", which nobody wrote");
      }
    }
    Map<String, Long> lastValue = new HashMap<>();
    Map<String, Long> lastRevision = new HashMap<>();
    for (Written write : history.written) {
      String what = write.object() + "=" + write.value();
      if (write.revision() > 0) {
        if (!what.equals(seen.get(write.revision()))) {
          wrong.add(
              "%s was acknowledged at %d, the watch has not said it, but %s and %s"
                  .formatted(
                      what,
                      write.revision(),
                      seen.floorEntry(write.revision()),
                      seen.higherEntry(write.revision())));
        }
        Long before = lastRevision.put(write.object(), write.revision());
        if (before != null && before >= write.revision()) {
          wrong.add(what + " has revision " + write.revision() + " after " + before);
        }
        lastValue.put(write.object(), write.value());
      }
    }
    for (JsonNode object : history.finalConfigMaps) {
      long value = object.at("/data/value").asLong();
      if (value < lastValue.getOrDefault(name(object), 0L)) {
        wrong.add(name(object) + " is " + value + " at the end: acknowledged writes are lost");
      }
      lastValue.remove(name(object));
    }
    lastValue.forEach((name, value) -> wrong.add(name + "=" + value + " is gone at the end"));
    return wrong;
  }

  private static String name(JsonNode object) {
    return object.path("metadata").path("name").asText();
  }

  /** How many requests of a flow were answered, and how many not, up to a time. */
  static String count(History history, String flow) {
    long ok = history.requests.stream().filter(r -> r.flow().equals(flow) && r.delivered()).count();
    long all = history.requests.stream().filter(r -> r.flow().equals(flow)).count();
    return ok + " of " + all + " answered";
  }
}
