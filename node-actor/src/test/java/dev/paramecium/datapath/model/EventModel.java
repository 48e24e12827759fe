package dev.paramecium.datapath.model;

import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** {@code lib/{trace,drop,policy_log,metrics}.h}: events, and what is counted with them. */
public final class EventModel {

  private static final int CAPTURE = 128;
  private static final int REASON_UNKNOWN = 5;

  private final MapState maps;
  private final int aggregation;
  final List<MonitorEvent> all = new ArrayList<>();

  EventModel(MapState maps, int aggregation) {
    this.maps = maps;
    this.aggregation = aggregation;
  }

  /** All of an event that two tellers of the same story must agree on. */
  public static String text(MonitorEvent event) {
    String head =
        switch (event) {
          case TraceNotify trace ->
              "trace %d %d→%d id %d reason %d ifindex %d from %s"
                  .formatted(
                      trace.point(),
                      trace.sourceLabel(),
                      trace.destinationLabel(),
                      trace.destinationId(),
                      trace.reason(),
                      trace.ifindex(),
                      trace.originalIp());
          case DropNotify drop ->
              "drop %d %d→%d id %d"
                  .formatted(
                      drop.reason(),
                      drop.sourceLabel(),
                      drop.destinationLabel(),
                      drop.destinationId());
          case PolicyVerdictNotify verdict ->
              "verdict %d remote %d port %d/%d direction %d match %d audited %b"
                  .formatted(
                      verdict.verdict(),
                      verdict.remoteLabel(),
                      verdict.destinationPort(),
                      verdict.protocol(),
                      verdict.direction(),
                      verdict.match(),
                      verdict.audited());
        };
    return "%s by %d, %d bytes %s"
        .formatted(
            head,
            event.source(),
            event.originalLength(),
            HexFormat.of().formatHex(event.captured()));
  }

  private static byte[] captured(Frame frame) {
    return Arrays.copyOf(frame.bytes, Math.min(CAPTURE, frame.length()));
  }

  /**
   * {@code send_trace_notify4}.
   *
   * @param monitored whether the connection is worth a line
   */
  void trace(
      Frame frame,
      int by,
      TracePoint point,
      int source,
      int destination,
      int id,
      int ifindex,
      int reason,
      boolean monitored,
      Ipv4Address originalIp) {
    switch (point) {
      case TO_LXC -> maps.count(DropReason.SUCCESS, MetricsKey.INGRESS, frame.length());
      case TO_HOST, TO_STACK, TO_OVERLAY, TO_NETWORK ->
          maps.count(DropReason.SUCCESS, MetricsKey.EGRESS, frame.length());
      case FROM_HOST, FROM_STACK, FROM_OVERLAY, FROM_NETWORK ->
          maps.count(DropReason.PLAINTEXT, MetricsKey.INGRESS, frame.length());
      case FROM_LXC, FROM_PROXY, TO_PROXY -> {}
    }
    boolean arrival =
        switch (point) {
          case FROM_LXC, FROM_PROXY, FROM_HOST, FROM_STACK, FROM_OVERLAY, FROM_NETWORK -> true;
          case TO_LXC, TO_PROXY, TO_HOST, TO_STACK, TO_OVERLAY, TO_NETWORK -> false;
        };
    boolean low = aggregation >= 1;
    boolean medium = aggregation >= 3;
    if (low && arrival || medium && !monitored) {
      return;
    }
    all.add(
        new TraceNotify(
            point.code(),
            by,
            0,
            frame.length(),
            source,
            destination,
            id & 0xffff,
            reason,
            false,
            ifindex,
            originalIp,
            captured(frame)));
  }

  /** {@code send_trace_notify} where nothing is known of a connection. */
  void arrival(Frame frame, int by, TracePoint point, int source, int ifindex) {
    trace(frame, by, point, source, 0, 0, ifindex, REASON_UNKNOWN, true, Ipv4Address.ANY);
  }

  /** The same of what leaves, which aggregation hides. */
  void departure(Frame frame, int by, TracePoint point, int source, int ifindex) {
    trace(frame, by, point, source, 0, 0, ifindex, REASON_UNKNOWN, false, Ipv4Address.ANY);
  }

  /** {@code send_drop_notify}. */
  int drop(Frame frame, int by, int reason, int source, int destination, int id, int direction) {
    maps.count(reason, direction, frame.length());
    all.add(
        new DropNotify(
            reason, by, 0, frame.length(), source, destination, id, 0, 0, 0, captured(frame)));
    return Verdict.SHOT;
  }

  /** {@code send_policy_verdict_notify}. */
  void verdict(
      Frame frame,
      int by,
      int remote,
      int port,
      int protocol,
      boolean egress,
      PolicyModel.Decision decision) {
    all.add(
        new PolicyVerdictNotify(
            by,
            0,
            frame.length(),
            remote,
            decision.verdict(),
            port,
            protocol,
            egress ? PolicyVerdictNotify.EGRESS : PolicyVerdictNotify.INGRESS,
            false,
            decision.match(),
            decision.audited(),
            captured(frame)));
  }
}
