package dev.paramecium.inspect.cilium;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.abi.MapNames;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.inspect.ToolError;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** {@code cilium bpf ct} and {@code cilium bpf nat} ({@code pkg/maps/ctmap}, {@code natmap}). */
final class ConntrackCommands {

  private ConntrackCommands() {}

  /** The TCP map and the map of all other protocols, of the node or of one endpoint. */
  private static List<String> names(BpfCommand.Request request, String command) {
    if (request.arguments().size() != 1) {
      throw new ToolError(
          1,
          "Error: Please specify \"global\" or an endpoint id: cilium bpf ct "
              + command
              + " global");
    }
    String which = request.arguments().getFirst();
    if (which.equals("global")) {
      return List.of(MapNames.CT4_GLOBAL, MapNames.CT_ANY4_GLOBAL);
    }
    try {
      int id = Integer.parseInt(which);
      return List.of(
          String.format(Locale.ROOT, "cilium_ct4_%05d", id),
          String.format(Locale.ROOT, "cilium_ct_any4_%05d", id));
    } catch (NumberFormatException e) {
      throw new ToolError(
          1, "Failed to parse endpointID \"" + which + "\": it is \"global\" or a number");
    }
  }

  static void list(BpfCommand.Request request) {
    boolean timeDiff = request.has("-d", "--time-diff");
    int now = request.kernel().clock().seconds();
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (String name : names(request, "list")) {
      BpfMap map = request.find(name);
      if (map == null) {
        request
            .output()
            .error(
                "Unable to open "
                    + MapNames.PIN_DIRECTORY
                    + name
                    + ": no such file or directory. Skipping.\n");
        continue;
      }
      StringBuilder text = new StringBuilder();
      map.forEach(
          (key, value) -> {
            CtTuple tuple = CtTuple.decode(key);
            CtEntry entry = CtEntry.decode(value);
            if (request.json()) {
              json.add(toJson(tuple, entry));
            } else {
              text.append(tuple.format()).append(format(entry, timeDiff, now)).append('\n');
            }
          });
      if (!request.json()) {
        request.output().line(text);
      }
    }
    if (request.json()) {
      request.printJson(json);
    }
  }

  /** With how long the entry will live behind {@code expires}, if asked for. */
  private static String format(CtEntry entry, boolean timeDiff, int now) {
    String text = entry.toString();
    int space = text.indexOf(' ');
    return timeDiff
        ? text.substring(0, space)
            + " (remaining: "
            + (entry.lifetime() - now)
            + " sec(s))"
            + text.substring(space)
        : text;
  }

  private static ObjectNode toJson(CtTuple tuple, CtEntry entry) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.putObject("Key")
        .put("DestAddr", tuple.daddr().toString())
        .put("SourceAddr", tuple.saddr().toString())
        .put("DestPort", tuple.dport())
        .put("SourcePort", tuple.sport())
        .put("NextHeader", tuple.nexthdr())
        .put("Flags", tuple.flags());
    json.putObject("Value")
        .put("RxPackets", entry.rxPackets())
        .put("RxBytes", entry.rxBytes())
        .put("TxPackets", entry.txPackets())
        .put("TxBytes", entry.txBytes())
        .put("Lifetime", Integer.toUnsignedLong(entry.lifetime()))
        .put("Flags", entry.flags())
        .put("RevNAT", entry.revNatIndex())
        .put("IfIndex", entry.ifindex())
        .put("TxFlagsSeen", entry.txFlagsSeen())
        .put("RxFlagsSeen", entry.rxFlagsSeen())
        .put("SourceSecurityID", Integer.toUnsignedLong(entry.sourceSecurityIdentity()))
        .put("LastTxReport", Integer.toUnsignedLong(entry.lastTxReport()))
        .put("LastRxReport", Integer.toUnsignedLong(entry.lastRxReport()));
    return json;
  }

  static void flush(BpfCommand.Request request) {
    names(request, "flush").forEach(name -> flush(request, name));
  }

  /** {@code cilium bpf nat flush}. */
  static void natFlush(BpfCommand.Request request) {
    flush(request, MapNames.SNAT_V4_EXTERNAL);
  }

  private static void flush(BpfCommand.Request request, String name) {
    BpfMap map = request.map(name);
    List<byte[]> keys = new ArrayList<>();
    map.forEach((key, _) -> keys.add(key));
    int flushed = 0;
    for (byte[] key : keys) {
      flushed += map.delete(key) ? 1 : 0;
    }
    request.output().line("Flushed " + flushed + " entries from " + MapNames.PIN_DIRECTORY + name);
  }

  static void natList(BpfCommand.Request request) {
    BpfMap map = request.find(MapNames.SNAT_V4_EXTERNAL);
    long nowNs = request.kernel().clock().nanos();
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    StringBuilder text = new StringBuilder();
    if (map == null) {
      request
          .output()
          .error(
              "Unable to open "
                  + MapNames.PIN_DIRECTORY
                  + MapNames.SNAT_V4_EXTERNAL
                  + ": no such file or directory. Skipping.\n");
    } else {
      map.forEach(
          (key, value) -> {
            CtTuple tuple = CtTuple.decode(key);
            Ipv4NatEntry entry = Ipv4NatEntry.decode(value);
            if (request.json()) {
              ObjectNode one = json.addObject();
              one.put("Key", tuple.toString()).put("Value", entry.toString());
            } else {
              text.append(nat(tuple, entry, nowNs)).append('\n');
            }
          });
    }
    if (request.json()) {
      request.printJson(json);
    } else if (map != null) {
      request.output().line(text);
    }
  }

  /** NAT tuples hold the packet's own order, unlike conntrack's. */
  private static String nat(CtTuple tuple, Ipv4NatEntry entry, long nowNs) {
    boolean in = (tuple.flags() & CtTuple.IN) != 0;
    return IpProtocol.name(tuple.nexthdr())
        + (in ? " IN " : " OUT ")
        + tuple.saddr()
        + ":"
        + tuple.sport()
        + " -> "
        + tuple.daddr()
        + ":"
        + tuple.dport()
        + (in ? " XLATE_DST " : " XLATE_SRC ")
        + entry.address()
        + ":"
        + entry.port()
        + " Created="
        + (nowNs - entry.created()) / 1_000_000_000L
        + "sec ago HostLocal="
        + entry.hostLocal();
  }
}
