package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.policy.ProxyState.CachedName;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.stream.Collectors;

/** {@code cilium fqdn cache list} ({@code cilium/cmd/fqdn.go}). */
final class FqdnTables {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private FqdnTables() {}

  static CommandOutput run(AgentView view, Arguments arguments) {
    String verb = arguments.word(2);
    if (!arguments.word(1).equals("cache") || !(verb.equals("list") || verb.equals("ls"))) {
      return CommandOutput.error(
          "unknown command \""
              + String.join(" ", arguments.words().subList(1, arguments.words().size()))
              + "\" for \"cilium fqdn\": use cache list");
    }
    return arguments.json() ? json(view) : text(view);
  }

  private static CommandOutput text(AgentView view) {
    TabWriter table = new TabWriter(5, 3);
    table.row("Endpoint", "Source", "FQDN", "TTL", "ExpirationTime", "IPs", "");
    for (CachedName name : view.proxy().names()) {
      table.row(
          Integer.toString(name.endpointId()),
          "lookup",
          name.name(),
          Long.toString(name.ttl()),
          TIME.format(name.expires()),
          name.addresses().stream().map(Ipv4Address::toString).collect(Collectors.joining(",")));
    }
    return CommandOutput.of(table.toString());
  }

  /** {@code models.DNSLookup}. */
  private static CommandOutput json(AgentView view) {
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (CachedName name : view.proxy().names()) {
      ObjectNode one = json.addObject();
      one.put("endpoint-id", name.endpointId());
      one.put("expiration-time", TIME.format(name.expires()));
      one.put("fqdn", name.name());
      ArrayNode ips = one.putArray("ips");
      name.addresses().forEach(address -> ips.add(address.toString()));
      one.put("lookup-time", TIME.format(name.expires().minusSeconds(name.ttl())));
      one.put("source", "lookup").put("ttl", name.ttl());
    }
    return Json.print(json);
  }
}
