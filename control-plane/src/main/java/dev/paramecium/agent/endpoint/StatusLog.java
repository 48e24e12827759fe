package dev.paramecium.agent.endpoint;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * What became of an endpoint, newest first, as {@code cilium endpoint log} shows it ({@code
 * pkg/endpoint/status.go}). It keeps the last {@value #KEPT} entries. Not thread-safe.
 */
public final class StatusLog {

  private static final int KEPT = 256;

  /**
   * An entry.
   *
   * @param code {@code OK} or {@code Failure}
   */
  public record Entry(Instant at, String code, EndpointState state, String message) {}

  private final Deque<Entry> entries = new ArrayDeque<>();

  /** An endpoint begins. */
  public StatusLog(EndpointState state, Instant at) {
    ok(at, state, state == EndpointState.RESTORING ? "Endpoint restoring" : "Endpoint creation");
  }

  public List<Entry> newestFirst() {
    return List.copyOf(entries);
  }

  /** The endpoint is another than {@code before}. */
  public void note(EndpointModel before, EndpointModel now, Instant at) {
    if (now.state() == before.state()) {
      return;
    }
    String reason = now.reason();
    switch (now.state()) {
      case REGENERATING -> {
        ok(
            at,
            EndpointState.WAITING_TO_REGENERATE,
            "Triggering endpoint regeneration due to " + reason);
        ok(at, now.state(), "Regenerating endpoint: " + reason);
      }
      case READY -> {
        ok(
            at,
            now.state(),
            "Completed endpoint regeneration with no pending regeneration requests");
        ok(at, now.state(), "Successfully regenerated endpoint program (Reason: " + reason + ")");
      }
      case NOT_READY ->
          add(
              at,
              "Failure",
              now.state(),
              "Error while regenerating endpoint. For more info run: 'cilium endpoint get'");
      case DISCONNECTING -> ok(at, now.state(), "Deleting endpoint");
      case WAITING_FOR_IDENTITY, WAITING_TO_REGENERATE, RESTORING, DISCONNECTED, INVALID -> {}
    }
  }

  private void ok(Instant at, EndpointState state, String message) {
    add(at, "OK", state, message);
  }

  private void add(Instant at, String code, EndpointState state, String message) {
    entries.addFirst(new Entry(at, code, state, message));
    if (entries.size() > KEPT) {
      entries.removeLast();
    }
  }
}
