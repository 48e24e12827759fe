package dev.paramecium.lib;

import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * What one object tells the monitor: traces, drops and policy verdicts ({@code
 * bpf/lib/{trace,drop,policy_log}.h}), written to {@code cilium_events}, and the metrics that go
 * with them. A record is made only if somebody reads.
 */
public final class MonitorEvents {

  /** POLICY_INGRESS and POLICY_EGRESS. */
  private static final int POLICY_INGRESS = 1;

  private static final int POLICY_EGRESS = 2;

  private static final int AGGREGATE_RX = 1;
  private static final int AGGREGATE_ACTIVE_CT = 3;

  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final ProgramContext context;
  private final Metrics metrics;
  private final PerfEventArray events;
  private final Clock clock;
  private final int aggregation;
  private final int source;
  private final int file;

  /**
   * @param source EVENT_SOURCE, an endpoint's id
   * @param file number of the source file in drop events, of {@link dev.paramecium.abi.SourceFile}
   */
  public MonitorEvents(ProgramContext context, Metrics metrics, int source, int file) {
    this.context = context;
    this.metrics = metrics;
    this.events = context.maps().events();
    this.clock = context.clock();
    this.aggregation = context.config().monitorAggregation();
    this.source = source;
    this.file = file;
  }

  /**
   * {@code send_trace_notify4}.
   *
   * @param monitor how much of the packet to show; 0 if the connection is not worth a line now
   * @param originalIp the source before translation, in host order; 0 if not told
   */
  public void trace(
      SkBuff packet,
      TracePoint point,
      int sourceLabel,
      int destinationLabel,
      int destinationId,
      int ifindex,
      int reason,
      int monitor,
      int originalIp) {
    metrics.traced(packet, point.code(), reason);
    if (!emits(point, monitor) || !events.isRead()) {
      return;
    }
    int captured =
        Math.min(monitor == 0 ? NodeConfig.TRACE_PAYLOAD_LENGTH : monitor, packet.length);
    byte[] message = header(MonitorEvent.TYPE_TRACE, point.code(), packet, captured);
    U32.set(message, 16, sourceLabel);
    U32.set(message, 20, destinationLabel);
    U32.set(message, 24, destinationId & 0xffff | reason << 16);
    U32.set(message, 28, ifindex);
    U32.set(message, 32, Integer.reverseBytes(originalIp));
    U32.set(message, 36, 0);
    U64.set(message, 40, 0L);
    events.output(clock.nanos(), message, TraceNotify.SIZE, packet, captured);
  }

  /** {@code send_trace_notify} of a packet that no connection is known of. */
  public void trace(SkBuff packet, TracePoint point, int sourceLabel, int ifindex) {
    trace(
        packet,
        point,
        sourceLabel,
        0,
        0,
        ifindex,
        TraceReason.UNKNOWN.code(),
        NodeConfig.TRACE_PAYLOAD_LENGTH,
        0);
  }

  /** {@code emit_trace_notify}. */
  private boolean emits(TracePoint point, int monitor) {
    boolean received =
        point.code() >= TracePoint.FROM_LXC.code()
            && point.code() <= TracePoint.FROM_NETWORK.code();
    return !(received && aggregation >= AGGREGATE_RX)
        && !(monitor == 0 && aggregation >= AGGREGATE_ACTIVE_CT);
  }

  /**
   * {@code send_drop_notify}: counts and tells a drop.
   *
   * @param reason a negative drop reason
   * @param line of the source file that gave up
   * @return the verdict
   */
  public int drop(
      SkBuff packet,
      int sourceLabel,
      int destinationLabel,
      int destinationId,
      int reason,
      int direction,
      int line) {
    metrics.count(packet, -reason, direction);
    if (packet.traced) {
      context.recorder().drop(packet, -reason);
    }
    if (events.isRead()) {
      int captured = Math.min(NodeConfig.TRACE_PAYLOAD_LENGTH, packet.length);
      byte[] message = header(MonitorEvent.TYPE_DROP, -reason, packet, captured);
      U32.set(message, 16, sourceLabel);
      U32.set(message, 20, destinationLabel);
      U32.set(message, 24, destinationId);
      U32.set(message, 28, line & 0xffff | file << 16);
      events.output(clock.nanos(), message, DropNotify.SIZE, packet, captured);
    }
    return Verdict.SHOT;
  }

  /** {@code send_drop_notify_error}. */
  public int drop(SkBuff packet, int sourceLabel, int reason, int direction, int line) {
    return drop(packet, sourceLabel, 0, 0, reason, direction, line);
  }

  /** {@code send_policy_verdict_notify} of what a pod sends. */
  public void egressVerdict(SkBuff packet, int destination, int verdict, PerCpu cpu) {
    policyVerdict(packet, destination, POLICY_EGRESS, verdict, cpu);
  }

  /** {@code send_policy_verdict_notify} of what a pod receives. */
  public void ingressVerdict(SkBuff packet, int source, int verdict, PerCpu cpu) {
    policyVerdict(packet, source, POLICY_INGRESS, verdict, cpu);
  }

  /**
   * {@code send_policy_verdict_notify}.
   *
   * @param direction {@link #POLICY_INGRESS} or {@link #POLICY_EGRESS}
   * @param verdict negative to deny, 0 to allow, a proxy's port in network order to redirect
   */
  private void policyVerdict(
      SkBuff packet, int remoteLabel, int direction, int verdict, PerCpu cpu) {
    if (!events.isRead()) {
      return;
    }
    int captured = Math.min(NodeConfig.TRACE_PAYLOAD_LENGTH, packet.length);
    byte[] message = header(MonitorEvent.TYPE_POLICY_VERDICT, 0, packet, captured);
    U32.set(message, 16, remoteLabel);
    U32.set(message, 20, verdict);
    U16.set(message, 24, (short) cpu.tuple.dport);
    message[26] = (byte) cpu.tuple.nexthdr;
    message[27] = (byte) (direction | cpu.policyMatch << 3 | (cpu.audited ? 1 << 6 : 0));
    U32.set(message, 28, 0);
    events.output(clock.nanos(), message, PolicyVerdictNotify.SIZE, packet, captured);
  }

  /** The first 16 bytes of a message; who asks for it writes every byte after them. */
  private byte[] header(int type, int subtype, SkBuff packet, int captured) {
    byte[] message = PerCpu.current().message;
    U32.set(message, 0, type | (subtype & 0xff) << 8 | source << 16);
    U32.set(message, 4, packet.hash);
    U32.set(message, 8, packet.length);
    U32.set(message, 12, captured | MonitorEvent.VERSION << 16);
    return message;
  }
}
