package dev.paramecium.inspect.cilium;

import dev.paramecium.abi.Ipv4Prefix;
import java.nio.ByteOrder;
import java.nio.ByteBuffer;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.inspect.ToolError;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Maps that print as a key and a value: ipcache, endpoint, tunnel, metrics. */
final class TableCommands {

  private TableCommands() {}

  /** A key's text and the texts of its values, in the order in which they are printed. */
  static void table(
      BpfCommand.Request request, String first, String second, Map<String, List<String>> rows) {
    if (request.json()) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      rows.forEach((key, values) -> values.forEach(json.putArray(key)::add));
      request.printJson(json);
      return;
    }
    TabWriter table = new TabWriter().line(first + "\t" + second + "\t");
    rows.forEach(
        (key, values) -> {
          for (int i = 0; i < values.size(); i++) {
            table.line((i == 0 ? key : "") + "\t" + values.get(i) + "\t");
          }
        });
    request.output().print(table.toString());
  }

  private static void printOrNone(
      BpfCommand.Request request, String first, String second, Map<String, List<String>> rows) {
    if (rows.isEmpty() && !request.json()) {
      request.output().error("No entries found.\n");
    } else {
      table(request, first, second, rows);
    }
  }

  static void ipcacheList(BpfCommand.Request request) {
    List<Map.Entry<IpcacheKey, RemoteEndpointInfo>> entries = new ArrayList<>();
    request
        .map(MapNames.IPCACHE)
        .forEach(
            (key, value) ->
                entries.add(Map.entry(IpcacheKey.decode(key), RemoteEndpointInfo.decode(value))));
    entries.sort(
        Comparator.<Map.Entry<IpcacheKey, RemoteEndpointInfo>, Ipv4Address>comparing(
                e -> e.getKey().address())
            .thenComparingInt(e -> e.getKey().prefixLength()));
    Map<String, List<String>> rows = new LinkedHashMap<>();
    entries.forEach(e -> rows.put(e.getKey().toString(), List.of(e.getValue().toString())));
    printOrNone(request, "IP PREFIX/ADDRESS", "IDENTITY", rows);
  }

  /** The longest prefix, as the datapath looks an address up. */
  static void ipcacheGet(BpfCommand.Request request) {
    if (request.arguments().isEmpty()) {
      throw new ToolError(1, "Error: Please specify an address: cilium bpf ipcache get ADDRESS");
    }
    String text = request.arguments().getFirst();
    Ipv4Address address;
    try {
      address = Ipv4Address.parse(text);
    } catch (IllegalArgumentException e) {
      throw new ToolError(1, "Invalid IP address: \"" + text + "\"");
    }
    byte[] value = request.map(MapNames.IPCACHE).lookup(new IpcacheKey(address).encode());
    if (value == null) {
      throw new ToolError(1, address + " does not map to any identity");
    }
    request.output().line(address + " maps to identity " + RemoteEndpointInfo.decode(value));
  }

  /** {@code cilium bpf ipmasq list}: destinations that see pods' own addresses. */
  static void ipmasqList(BpfCommand.Request request) {
    List<Ipv4Prefix> prefixes = new ArrayList<>();
    request
        .map(MapNames.IPMASQ_V4)
        .forEach(
            (key, _) -> {
              int length = ByteBuffer.wrap(key).order(ByteOrder.LITTLE_ENDIAN).getInt();
              int address = ByteBuffer.wrap(key).getInt(Integer.BYTES);
              prefixes.add(new Ipv4Prefix(new Ipv4Address(address), length));
            });
    prefixes.sort(Comparator.comparing(Ipv4Prefix::address).thenComparingInt(Ipv4Prefix::length));
    if (request.json()) {
      request.printJson(networks(prefixes));
      return;
    }
    Map<String, List<String>> rows = new LinkedHashMap<>();
    prefixes.forEach(prefix -> rows.put(prefix.toString(), List.of("")));
    printOrNone(request, "IP PREFIX/ADDRESS", "", rows);
  }

  /** As Go marshals {@code net.IPNet}: the address as text, the mask's bytes. */
  private static ArrayNode networks(List<Ipv4Prefix> prefixes) {
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (Ipv4Prefix prefix : prefixes) {
      byte[] mask = ByteBuffer.allocate(4).putInt(Ipv4Prefix.mask(prefix.length())).array();
      json.addObject().put("IP", prefix.address().toString()).put("Mask", mask);
    }
    return json;
  }

  static void endpointList(BpfCommand.Request request) {
    Map<EndpointKey, String> entries = new LinkedHashMap<>();
    request
        .map(MapNames.LXC)
        .forEach(
            (key, value) ->
                entries.put(EndpointKey.decode(key), EndpointInfo.decode(value).toString()));
    printOrNone(request, "IP ADDRESS", "LOCAL ENDPOINT INFO", byAddress(entries));
  }

  static void tunnelList(BpfCommand.Request request) {
    Map<EndpointKey, String> entries = new LinkedHashMap<>();
    request
        .map(MapNames.TUNNEL)
        .forEach(
            (key, value) ->
                entries.put(EndpointKey.decode(key), EndpointKey.decode(value).toString()));
    printOrNone(request, "TUNNEL", "VALUE", byAddress(entries));
  }

  private static Map<String, List<String>> byAddress(Map<EndpointKey, String> entries) {
    Map<String, List<String>> rows = new LinkedHashMap<>();
    entries.entrySet().stream()
        .sorted(Comparator.comparing(e -> e.getKey().address()))
        .forEach(e -> rows.put(e.getKey().toString(), List.of(e.getValue())));
    return rows;
  }

  /** The values of all CPUs added up; rows in the order of their text. */
  static void metricsList(BpfCommand.Request request) {
    Map<MetricsKey, MetricsValue> sums = new LinkedHashMap<>();
    request
        .map(MapNames.METRICS)
        .forEach(
            (key, value) -> {
              MetricsValue sum = new MetricsValue(0, 0);
              for (int at = 0; at + MetricsValue.SIZE <= value.length; at += MetricsValue.SIZE) {
                byte[] one = new byte[MetricsValue.SIZE];
                System.arraycopy(value, at, one, 0, one.length);
                sum = sum.plus(MetricsValue.decode(one));
              }
              sums.put(MetricsKey.decode(key), sum);
            });
    if (request.json()) {
      metricsJson(request, sums);
      return;
    }
    List<String[]> rows = new ArrayList<>();
    sums.forEach(
        (key, sum) ->
            rows.add(
                new String[] {
                  DropReason.text(key.reason()),
                  key.directionName(),
                  Long.toUnsignedString(sum.count()),
                  Long.toUnsignedString(sum.bytes())
                }));
    rows.sort(Comparator.comparing(row -> String.join("\t", row)));
    TabWriter table = new TabWriter().row("REASON", "DIRECTION", "PACKETS", "BYTES");
    rows.forEach(table::row);
    request.output().print(table.toString());
  }

  private static void metricsJson(BpfCommand.Request request, Map<MetricsKey, MetricsValue> sums) {
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    Map<Integer, ObjectNode> byReason = new LinkedHashMap<>();
    sums.entrySet().stream()
        .sorted(Comparator.comparingInt(e -> e.getKey().reason()))
        .forEach(
            e -> {
              int reason = e.getKey().reason();
              ObjectNode values =
                  byReason.computeIfAbsent(
                      reason,
                      _ -> {
                        ObjectNode entry = json.addObject();
                        entry.put("reason", reason).put("description", DropReason.text(reason));
                        return entry.putObject("values");
                      });
              values
                  .putObject(e.getKey().directionName().toLowerCase(Locale.ROOT))
                  .put("packets", e.getValue().count())
                  .put("bytes", e.getValue().bytes());
            });
    request.printJson(json);
  }
}
