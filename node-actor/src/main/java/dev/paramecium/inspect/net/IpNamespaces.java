package dev.paramecium.inspect.net;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.inspect.KernelView;
import dev.paramecium.inspect.ToolError;
import java.util.ArrayList;
import java.util.List;

/** {@code ip netns} and {@code ip rule}: what is not of one device. */
final class IpNamespaces {

  private IpNamespaces() {}

  /** {@code ip netns}; a pod's own {@code /var/run/netns} is empty. */
  static int netns(Ip.IpContext ip, Arguments words) {
    List<String> names = ip.kernel() == null ? List.of() : ip.kernel().namespaces();
    String command = words.hasNext() ? words.next() : "list";
    switch (command) {
      case "help" ->
          throw new ToolError(
              Arguments.USAGE,
              "Usage:\tip netns list\n\tip netns identify [PID]\n\tip netns list-id");
      case "list", "show", "lst" -> list(ip, names);
      case "list-id" -> {
        for (int id = 0; id < names.size(); id++) {
          ip.output().line("nsid " + id + " (iproute2 netns name: " + names.get(id) + ")");
        }
      }
      case "identify" -> ip.output().print("");
      case "exec", "pids", "monitor" ->
          throw new ToolError(
              1,
              "ip netns "
                  + command
                  + ": a pod's processes run in its containers; use kubectl exec POD -- COMMAND");
      case "add", "del", "delete", "set", "attach" ->
          throw Arguments.readOnly("ip netns " + command);
      default ->
          throw new ToolError(
              Arguments.USAGE, "Command \"" + command + "\" is unknown, try \"ip netns help\".");
    }
    return 0;
  }

  /** The newest first, as the directory lists them. */
  private static void list(Ip.IpContext ip, List<String> names) {
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (int id = names.size() - 1; id >= 0; id--) {
      if (ip.options().json) {
        json.addObject().put("name", names.get(id)).put("id", id);
      } else {
        ip.output().line(names.get(id) + " (id: " + id + ")");
      }
    }
    if (ip.options().json) {
      ip.printJson(json);
    }
  }

  private record Rule(int priority, String from, String mark, String table) {}

  /** {@code ip rule}; Cilium moves the local table back and sends proxy traffic to its own. */
  static int rules(Ip.IpContext ip, Arguments words) {
    ip.requireOwnNamespace("rule");
    String command = words.hasNext() ? words.next() : "show";
    if (command.equals("help")) {
      throw new ToolError(Arguments.USAGE, "Usage: ip rule [ list ]");
    }
    if (List.of("add", "del", "delete", "flush", "save", "restore").contains(command)) {
      throw Arguments.readOnly("ip rule " + command);
    }
    if (!Arguments.matches(command, "list")
        && !Arguments.matches(command, "show")
        && !command.equals("lst")) {
      throw new ToolError(
          Arguments.USAGE, "Command \"" + command + "\" is unknown, try \"ip rule help\".");
    }
    KernelView kernel = ip.kernel();
    List<Rule> rules = new ArrayList<>();
    if (kernel != null && kernel.config() != null) {
      rules.add(new Rule(9, "all", "0x200/0xf00", "2004"));
      rules.add(new Rule(10, "all", "0xa00/0xf00", "2005"));
      rules.add(new Rule(100, "all", "", "local"));
    } else {
      rules.add(new Rule(0, "all", "", "local"));
    }
    rules.add(new Rule(32766, "all", "", "main"));
    rules.add(new Rule(32767, "all", "", "default"));
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (Rule rule : rules) {
      if (ip.options().json) {
        ObjectNode entry = json.addObject().put("priority", rule.priority).put("src", rule.from);
        if (!rule.mark.isEmpty()) {
          String[] mark = rule.mark.split("/", 2);
          entry.put("fwmark", mark[0]).put("fwmask", mark[1]);
        }
        entry.put("table", rule.table);
      } else {
        ip.output()
            .line(
                rule.priority
                    + ":\tfrom "
                    + rule.from
                    + (rule.mark.isEmpty() ? "" : " fwmark " + rule.mark)
                    + " lookup "
                    + rule.table);
      }
    }
    if (ip.options().json) {
      ip.printJson(json);
    }
    return 0;
  }
}
