package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * {@code cilium config} ({@code cilium/cmd/config.go}): the options in force. Those that only a
 * restart changes are printed by the names of the ConfigMap; {@code -r} prints them alone.
 */
final class ConfigCommand {

  private ConfigCommand() {}

  static CommandOutput print(AgentView view, Arguments arguments) {
    if (arguments.words().size() > 1) {
      return CommandOutput.error(
          "Unable to change agent configuration: "
              + arguments.word(1)
              + " is fixed while the node runs. Change spec.options of the cluster's file and start"
              + " it again");
    }
    Map<String, String> options = new TreeMap<>(view.options().values());
    if (arguments.json()) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      options.forEach(json::put);
      return Json.print(json);
    }
    StringBuilder out = new StringBuilder();
    if (!arguments.has("r", "read-only")) {
      out.append("##### Read-Write Configurations #####\n");
      readWrite(view).forEach((name, value) -> line(out, name, value));
    }
    out.append("#### Read-Only Configurations ####\n");
    options.forEach((name, value) -> line(out, name, value));
    return CommandOutput.of(out.toString());
  }

  private static Map<String, String> readWrite(AgentView view) {
    Map<String, String> values = new TreeMap<>();
    values.put("ConntrackAccounting", "Enabled");
    values.put("ConntrackLocal", "Disabled");
    values.put("DropNotification", "Enabled");
    values.put("PolicyAuditMode", enabled(view.options().isOn("policy-audit-mode")));
    values.put("PolicyVerdictNotification", "Enabled");
    values.put("TraceNotification", "Enabled");
    String aggregation = String.valueOf(view.options().values().get("monitor-aggregation"));
    values.put(
        "MonitorAggregationLevel",
        aggregation.substring(0, 1).toUpperCase(Locale.ROOT) + aggregation.substring(1));
    return values;
  }

  private static String enabled(boolean on) {
    return on ? "Enabled" : "Disabled";
  }

  private static void line(StringBuilder out, String name, String value) {
    out.append(String.format(Locale.ROOT, "%-34s: %s%n", name, value).replace("\r\n", "\n"));
  }
}
