package dev.paramecium.inspect.cilium;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.abi.SourceFile;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.container.proxy.LogRecord;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.packet.Packet;
import dev.paramecium.syscall.PerfRecord;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One record of {@code cilium_events} as text ({@code pkg/monitor/format}, {@code
 * pkg/monitor/datapath_*.go}).
 */
final class MonitorFormat {

  /** How much is told: a line, everything, or JSON. */
  enum Style {
    INFO,
    VERBOSE,
    JSON
  }

  private static final String SEPARATOR = "-".repeat(78) + "\n";

  private final KernelView kernel;
  private final Style style;
  private final boolean numeric;
  private final boolean hex;
  private final Set<Integer> types;
  private final Set<Integer> from;
  private final Set<Integer> to;
  private final Set<Integer> related;

  /** Empty sets let everything through. */
  MonitorFormat(
      KernelView kernel,
      Style style,
      boolean numeric,
      boolean hex,
      Set<Integer> types,
      Set<Integer> from,
      Set<Integer> to,
      Set<Integer> related) {
    this.kernel = kernel;
    this.style = style;
    this.numeric = numeric;
    this.hex = hex;
    this.types = Set.copyOf(types);
    this.from = Set.copyOf(from);
    this.to = Set.copyOf(to);
    this.related = Set.copyOf(related);
  }

  static String lost(int cpu, long count) {
    return prefix(cpu) + " Lost " + count + " events\n";
  }

  /** {@code CPU 01:}. */
  static String prefix(int cpu) {
    return "CPU " + (cpu < 10 ? "0" : "") + cpu + ":";
  }

  /** The record's lines, empty if it is filtered out. */
  String format(PerfRecord record) {
    int type = record.bytes().length == 0 ? 0 : record.bytes()[0] & 0xff;
    try {
      MonitorEvent event = MonitorEvent.decode(record.bytes());
      return switch (event) {
        case TraceNotify trace -> trace(record.cpu(), trace);
        case DropNotify drop -> drop(record.cpu(), drop);
        case PolicyVerdictNotify verdict -> verdict(record.cpu(), verdict);
        case null -> other(record, type);
      };
    } catch (IllegalArgumentException e) {
      return "Error while parsing notification message of type "
          + type
          + ": "
          + e.getMessage()
          + "\n";
    }
  }

  /** What is worth asking about a record that is shown; null for nothing. */
  @Nullable PolicyQuestion question(PerfRecord record) {
    if (style != Style.VERBOSE) {
      return null;
    }
    try {
      return PolicyQuestion.of(MonitorEvent.decode(record.bytes()));
    } catch (IllegalArgumentException _) {
      return null; // the record's line says so
    }
  }

  private String other(PerfRecord record, int type) {
    return switch (type) {
      case MonitorEvent.TYPE_DEBUG -> debug(record, DebugMessage.decode(record.bytes()));
      case MonitorEvent.TYPE_CAPTURE -> capture(record, DebugCapture.decode(record.bytes()));
      default ->
          matches(type, 0, 0)
              ? prefix(record.cpu()) + " Unknown event: " + Arrays.toString(record.bytes()) + "\n"
              : "";
    };
  }

  private boolean matches(int type, int source, int destination) {
    return (types.isEmpty() || types.contains(type))
        && (from.isEmpty() || from.contains(source))
        && (to.isEmpty() || to.contains(destination))
        && (related.isEmpty() || related.contains(source) || related.contains(destination));
  }

  boolean isJson() {
    return style == Style.JSON;
  }

  /** Whether a line of the access log gets through. */
  boolean shows(LogRecord message) {
    return matches(
        MonitorEvent.TYPE_ACCESS_LOG,
        message.source().endpointId(),
        message.destination().endpointId());
  }

  // ---- words

  private static String hash(int hash) {
    return "0x" + Integer.toHexString(hash);
  }

  private String identity(int identity) {
    return numeric ? Integer.toUnsignedString(identity) : ReservedIdentity.nameOf(identity);
  }

  private String identities(int source, int destination) {
    return ", identity " + identity(source) + "->" + identity(destination);
  }

  private String interfaceName(int ifindex) {
    return kernel.links().stream()
        .filter(link -> link.info().ifindex() == ifindex)
        .map(link -> link.info().name())
        .findFirst()
        .orElse(Integer.toString(ifindex));
  }

  private static String connection(byte[] captured) {
    return Dissection.connection(new Packet(captured));
  }

  private String dissect(byte[] captured) {
    if (captured.length == 0) {
      return "";
    }
    return hex ? Dissection.hexDump(captured) : Dissection.layers(new Packet(captured));
  }

  // ---- trace

  private static String arrow(TraceNotify trace) {
    if (trace.point() < 0 || trace.point() >= TracePoint.values().length) {
      return "unknown trace";
    }
    return switch (TracePoint.of(trace.point())) {
      case TO_LXC -> "-> endpoint " + trace.destinationId();
      case TO_PROXY ->
          trace.destinationId() == 0 ? "-> proxy" : "-> proxy port " + trace.destinationId();
      case TO_HOST -> "-> host from";
      case TO_STACK -> "-> stack";
      case TO_OVERLAY -> "-> overlay";
      case FROM_LXC -> "<- endpoint " + trace.source();
      case FROM_PROXY -> "<- proxy";
      case FROM_HOST -> "<- host";
      case FROM_STACK -> "<- stack";
      case FROM_OVERLAY -> "<- overlay";
      case FROM_NETWORK -> "<- network";
      case TO_NETWORK -> "-> network";
    };
  }

  private String trace(int cpu, TraceNotify trace) {
    if (!matches(MonitorEvent.TYPE_TRACE, trace.source(), trace.destinationId())) {
      return "";
    }
    String state = TraceReason.text(trace.reason());
    boolean encrypted = (trace.reason() & TraceReason.ENCRYPTED) != 0;
    String identities = identities(trace.sourceLabel(), trace.destinationLabel());
    return switch (style) {
      case INFO ->
          arrow(trace)
              + (encrypted ? " encrypted " : " ")
              + "flow "
              + hash(trace.hash())
              + " "
              + identities
              + " state "
              + state
              + " ifindex "
              + interfaceName(trace.ifindex())
              + " orig-ip "
              + trace.originalIp()
              + ": "
              + connection(trace.captured())
              + "\n";
      case VERBOSE ->
          SEPARATOR
              + prefix(cpu)
              + " MARK "
              + hash(trace.hash())
              + " FROM "
              + trace.source()
              + " "
              + TracePoint.text(trace.point())
              + ": "
              + trace.originalLength()
              + " bytes ("
              + trace.captured().length
              + " captured), state "
              + state
              + (trace.ifindex() == 0 ? "" : ", interface " + interfaceName(trace.ifindex()))
              + (trace.sourceLabel() == 0 && trace.destinationLabel() == 0 ? "" : identities)
              + ", orig-ip "
              + trace.originalIp()
              + (trace.destinationId() == 0
                  ? ""
                  : (trace.point() == TracePoint.TO_PROXY.code()
                          ? ", to proxy-port "
                          : ", to endpoint ")
                      + trace.destinationId())
              + "\n"
              + dissect(trace.captured());
      case JSON -> {
        ObjectNode json = head(cpu, "trace", trace.hash());
        json.put("ifindex", interfaceName(trace.ifindex())).put("state", state);
        json.put("observationPoint", TracePoint.text(trace.point()));
        json.put("traceSummary", arrow(trace)).put("source", trace.source());
        json.put("bytes", trace.originalLength());
        json.put("srcLabel", Integer.toUnsignedLong(trace.sourceLabel()));
        json.put("dstLabel", Integer.toUnsignedLong(trace.destinationLabel()));
        json.put("dstID", trace.destinationId());
        yield withSummary(json, trace.captured());
      }
    };
  }

  private static ObjectNode head(int cpu, String type, int hash) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    return json.put("cpu", prefix(cpu)).put("type", type).put("mark", hash(hash));
  }

  private static String withSummary(ObjectNode json, byte[] captured) {
    if (captured.length > 0) {
      json.set("summary", Dissection.summary(new Packet(captured)));
    }
    return json + "\n";
  }

  // ---- drop

  private String drop(int cpu, DropNotify drop) {
    if (!matches(MonitorEvent.TYPE_DROP, drop.source(), drop.destinationId() & 0xffff)) {
      return "";
    }
    String reason = DropReason.text(drop.reason(), drop.extError());
    String identities = identities(drop.sourceLabel(), drop.destinationLabel());
    return switch (style) {
      case INFO ->
          "xx drop ("
              + reason
              + ") flow "
              + hash(drop.hash())
              + " to endpoint "
              + Integer.toUnsignedString(drop.destinationId())
              + ", file "
              + SourceFile.name(drop.file())
              + " line "
              + drop.line()
              + ", "
              + identities
              + ": "
              + connection(drop.captured())
              + "\n";
      case VERBOSE ->
          SEPARATOR
              + prefix(cpu)
              + " MARK "
              + hash(drop.hash())
              + " FROM "
              + drop.source()
              + " DROP: "
              + drop.originalLength()
              + " bytes, reason "
              + reason
              + (drop.sourceLabel() == 0 && drop.destinationLabel() == 0 ? "" : identities)
              + (drop.destinationId() == 0 ? "" : ", to endpoint " + drop.destinationId())
              + "\n"
              + dissect(drop.captured());
      case JSON -> {
        ObjectNode json = head(cpu, "drop", drop.hash());
        json.put("reason", reason).put("source", drop.source());
        json.put("bytes", drop.originalLength());
        json.put("srcLabel", Integer.toUnsignedLong(drop.sourceLabel()));
        json.put("dstLabel", Integer.toUnsignedLong(drop.destinationLabel()));
        json.put("dstID", Integer.toUnsignedLong(drop.destinationId()));
        json.put("Line", drop.line()).put("File", drop.file()).put("ExtError", drop.extError());
        yield withSummary(json, drop.captured());
      }
    };
  }

  // ---- policy verdict

  /** v1.12 tells a verdict in one line however verbose it is asked to be. */
  private String verdict(int cpu, PolicyVerdictNotify verdict) {
    int remote = verdict.remoteLabel();
    if (!matches(MonitorEvent.TYPE_POLICY_VERDICT, verdict.source(), remote & 0xffff)) {
      return "";
    }
    String direction = verdict.direction() == PolicyVerdictNotify.INGRESS ? "ingress" : "egress";
    if (style == Style.JSON) {
      ObjectNode json = head(cpu, "policy-verdict", verdict.hash());
      json.put("source", verdict.source()).put("bytes", verdict.originalLength());
      json.put("remoteLabel", Integer.toUnsignedLong(remote));
      json.put("verdict", verdict.verdict()).put("action", verdict.actionText());
      json.put("match", verdict.matchText()).put("direction", direction);
      json.put("proto", verdict.protocol()).put("dstPort", verdict.destinationPort());
      return withSummary(json, verdict.captured());
    }
    return "Policy verdict log: flow "
        + hash(verdict.hash())
        + " local EP ID "
        + verdict.source()
        + ", remote ID "
        + identity(remote)
        + ", proto "
        + verdict.protocol()
        + ", "
        + direction
        + ", action "
        + verdict.actionText()
        + ", match "
        + verdict.matchText()
        + ", "
        + connection(verdict.captured())
        + "\n";
  }

  // ---- debug

  private String debug(PerfRecord record, DebugMessage message) {
    if (!matches(MonitorEvent.TYPE_DEBUG, message.source(), 0)) {
      return "";
    }
    return switch (style) {
      case INFO -> "";
      case VERBOSE ->
          prefix(record.cpu())
              + " MARK "
              + hash(message.hash())
              + " FROM "
              + message.source()
              + " DEBUG: "
              + message.text()
              + "\n";
      case JSON ->
          JsonNodeFactory.instance
                  .objectNode()
                  .put("cpu", prefix(record.cpu()))
                  .put("type", "debug")
                  .put("message", message.text())
              + "\n";
    };
  }

  private String capture(PerfRecord record, DebugCapture capture) {
    if (!matches(MonitorEvent.TYPE_CAPTURE, capture.source(), 0)) {
      return "";
    }
    String arrow = capture.arrow(this::interfaceName);
    return switch (style) {
      case INFO -> arrow.isEmpty() ? "" : arrow + ": " + connection(capture.captured()) + "\n";
      case VERBOSE ->
          SEPARATOR
              + prefix(record.cpu())
              + " MARK "
              + hash(capture.hash())
              + " FROM "
              + capture.source()
              + " DEBUG: "
              + capture.length()
              + " bytes, "
              + capture.text()
              + "\n"
              + dissect(capture.captured());
      case JSON -> {
        ObjectNode json = head(record.cpu(), "capture", capture.hash());
        json.put("message", capture.text()).put("prefix", arrow);
        json.put("source", capture.source()).put("bytes", capture.length());
        yield json.put("summary", connection(capture.captured())) + "\n";
      }
    };
  }
}
