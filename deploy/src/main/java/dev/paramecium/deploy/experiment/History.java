package dev.paramecium.deploy.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.experiment.PolicyOracle.Peer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** What happened, as it was recorded outside the product; any thread adds. */
final class History {

  /**
   * One request of a flow, seen by the pod that made it.
   *
   * @param pod who asked
   * @param ready when that pod was first seen running
   */
  record Request(
      String flow, String pod, Instant start, Instant end, boolean delivered, Instant ready) {}

  /** Who a flow's pod is, and whom it asks. */
  record Ends(Peer from, Peer to, int port, String protocol) {}

  /**
   * The policies that are there.
   *
   * @param asked when the write that made it so was sent; that it holds is possible from then on
   * @param answered when it was acknowledged; before, the one before may hold
   */
  record Policies(Instant asked, Instant answered, List<JsonNode> policies) {}

  /**
   * A fault, from the request that began it to the end of the request that ended it.
   *
   * @param excuses as {@link ExperimentFile.Fault#excuses}
   */
  record Span(String what, Instant from, Instant to, Set<String> excuses) {}

  /**
   * A write of a counting writer.
   *
   * @param revision the answer's, 0 if nobody knows whether it took effect
   */
  record Written(String object, long value, long revision) {}

  /** What a watch said. */
  record Seen(String type, JsonNode object, Instant at) {}

  final List<Request> requests = new CopyOnWriteArrayList<>();
  final Map<String, Ends> ends = new ConcurrentHashMap<>();
  final List<Policies> policies = new CopyOnWriteArrayList<>();
  final List<Span> faults = new CopyOnWriteArrayList<>();

  /** When the machine did not let the run go on. */
  final List<Span> stalls = new CopyOnWriteArrayList<>();

  final List<Written> written = new CopyOnWriteArrayList<>();
  final List<Seen> configMaps = new CopyOnWriteArrayList<>();
  final List<Seen> identities = new CopyOnWriteArrayList<>();
  final List<Seen> pods = new CopyOnWriteArrayList<>();
  final List<String> differences = new CopyOnWriteArrayList<>();
  final List<JsonNode> finalConfigMaps = new CopyOnWriteArrayList<>();

  /** Why the run could not go on as it should. */
  final List<String> failures = new CopyOnWriteArrayList<>();

  final List<String> notes = new CopyOnWriteArrayList<>();

  /** What begins where another ends: what that one left may still be on its way. */
  static History after(History before) {
    History history = new History();
    history.faults.addAll(before.faults);
    history.ends.putAll(before.ends);
    int policies = before.policies.size();
    history.policies.addAll(before.policies.subList(Math.max(0, policies - 2), policies));
    return history;
  }

  /** The policies that may have held for a request of {@code start} to {@code end}. */
  List<List<JsonNode>> possible(Instant start, Instant end, java.time.Duration propagation) {
    List<List<JsonNode>> possible = new ArrayList<>();
    for (int i = 0; i < policies.size(); i++) {
      @Nullable Policies next = i + 1 < policies.size() ? policies.get(i + 1) : null;
      boolean begun = !policies.get(i).asked().isAfter(end);
      boolean over = next != null && next.answered().plus(propagation).isBefore(start);
      if (begun && !over) {
        possible.add(policies.get(i).policies());
      }
    }
    return possible;
  }
}
