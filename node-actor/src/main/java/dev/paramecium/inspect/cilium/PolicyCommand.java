package dev.paramecium.inspect.cilium;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.inspect.ToolError;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** {@code cilium bpf policy get} ({@code cilium/cmd/bpf_policy_get.go}). */
final class PolicyCommand {

  private PolicyCommand() {}

  private record Row(PolicyKey key, PolicyEntry entry) {}

  static void get(BpfCommand.Request request) {
    if (request.has("--all")) {
      request.kernel().maps().stream()
          .filter(map -> MapNames.policyMapEndpoint(map.name()) >= 0)
          .sorted(Comparator.comparing(BpfMap::name))
          .forEach(
              map -> {
                request.output().print(MapNames.PIN_DIRECTORY + map.name() + ":\n\n");
                dump(request, map);
                request.output().print("\n\n");
              });
      return;
    }
    if (request.arguments().isEmpty()) {
      throw new ToolError(
          1, "Error: Invalid endpoint ID\nUsage:\n  cilium bpf policy get ENDPOINT | --all [-n]");
    }
    String text = request.arguments().getFirst();
    int endpoint;
    try {
      endpoint = Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new ToolError(1, "Failed to parse endpointID \"" + text + "\"");
    }
    String name = MapNames.policyMapName(endpoint);
    BpfMap map = request.find(name);
    if (map == null) {
      throw new ToolError(
          1,
          "Failed to open map: unable to open map "
              + MapNames.PIN_DIRECTORY
              + name
              + ": no such file or directory");
    }
    dump(request, map);
  }

  private static void dump(BpfCommand.Request request, BpfMap map) {
    List<Row> rows = new ArrayList<>();
    map.forEach(
        (key, value) -> rows.add(new Row(PolicyKey.decode(key), PolicyEntry.decode(value))));
    rows.sort(
        Comparator.<Row, Boolean>comparing(row -> !row.entry.deny())
            .thenComparing(row -> row.key.egress())
            .thenComparingLong(row -> Integer.toUnsignedLong(row.key.securityIdentity()))
            .thenComparingInt(row -> row.key.protocol())
            .thenComparingInt(row -> row.key.destinationPort()));
    if (request.json()) {
      ArrayNode json = JsonNodeFactory.instance.arrayNode();
      for (Row row : rows) {
        var one = json.addObject();
        one.put("ProxyPort", row.entry.proxyPort()).put("Flags", row.entry.deny() ? 1 : 0);
        one.put("Packets", row.entry.packets()).put("Bytes", row.entry.bytes());
        one.putObject("Key")
            .put("Identity", Integer.toUnsignedLong(row.key.securityIdentity()))
            .put("DestPort", row.key.destinationPort())
            .put("Nexthdr", row.key.protocol())
            .put("TrafficDirection", row.key.egress() ? 1 : 0);
      }
      request.printJson(json);
      return;
    }
    boolean numeric = request.has("-n", "--numeric");
    TabWriter table = new TabWriter();
    table.line(
        "POLICY\tDIRECTION\t"
            + (numeric ? "IDENTITY" : "LABELS (source:key[=value])")
            + "\tPORT/PROTO\tPROXY PORT\tBYTES\tPACKETS\t");
    for (Row row : rows) {
      int identity = row.key.securityIdentity();
      List<String> labels = numeric ? List.of() : request.labels().labelsOf(identity);
      table.line(
          line(row, labels.isEmpty() ? Integer.toUnsignedString(identity) : labels.getFirst()));
      for (int i = 1; i < labels.size(); i++) {
        table.line("\t\t" + labels.get(i) + "\t\t\t\t\t\t");
      }
    }
    request.output().print(table.toString());
    if (rows.isEmpty()) {
      request.output().line("Policy stats empty. Perhaps the policy enforcement is disabled?");
    }
  }

  private static String line(Row row, String identity) {
    return (row.entry.deny() ? "Deny" : "Allow")
        + "\t"
        + (row.key.egress() ? "Egress" : "Ingress")
        + "\t"
        + identity
        + "\t"
        + row.key.portProtocol()
        + "\t"
        + (row.entry.proxyPort() == 0 ? "NONE" : Integer.toString(row.entry.proxyPort()))
        + "\t"
        + Long.toUnsignedString(row.entry.bytes())
        + "\t"
        + Long.toUnsignedString(row.entry.packets())
        + "\t";
  }
}
