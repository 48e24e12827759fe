package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.agent.endpoint.EndpointModel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** {@code cilium identity list|get} and {@code cilium ip list}. */
final class IdentityTables {

  private IdentityTables() {}

  /** The reserved identities and the cluster's, by number. */
  private static Map<Integer, List<String>> all(AgentView view) {
    Map<Integer, List<String>> all = new TreeMap<>(view.identities());
    for (ReservedIdentity reserved : ReservedIdentity.values()) {
      if (reserved != ReservedIdentity.UNKNOWN) {
        all.put(reserved.id(), reserved.labels());
      }
    }
    return all;
  }

  static CommandOutput list(AgentView view, Arguments arguments) {
    if (arguments.has("endpoints")) {
      return endpoints(view, arguments);
    }
    Map<Integer, List<String>> wanted = all(view);
    List<String> labels = arguments.words().subList(2, arguments.words().size());
    if (!labels.isEmpty()) {
      wanted.values().removeIf(of -> !of.containsAll(labels));
    }
    return print(wanted, arguments);
  }

  static CommandOutput get(AgentView view, Arguments arguments) {
    String wanted = arguments.word(2);
    return labels(view, wanted)
        .map(labels -> print(Map.of(Integer.valueOf(wanted), labels), arguments))
        .orElseGet(() -> CommandOutput.error(unknown(wanted)));
  }

  /** The labels of an identity by its number; empty if there is no such identity. */
  static Optional<List<String>> labels(AgentView view, String number) {
    return all(view).entrySet().stream()
        .filter(identity -> identity.getKey().toString().equals(number))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /** Why {@link #labels} are empty. */
  static String unknown(String number) {
    return number.isEmpty()
        ? "Invalid identity ID: give a number, as in cilium identity get 1"
        : "Cannot get identity for given ID "
            + number
            + ": [GET /identity/{id}][404] getIdentityIdNotFound";
  }

  private static CommandOutput print(Map<Integer, List<String>> identities, Arguments arguments) {
    if (arguments.json()) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      identities.forEach((id, labels) -> model(array.addObject(), id, labels));
      return Json.print(array);
    }
    TabWriter table = new TabWriter(2, 3);
    table.row("ID", "LABELS");
    identities.forEach(
        (id, labels) -> {
          for (int i = 0; i < labels.size(); i++) {
            table.row(i == 0 ? Integer.toString(id) : "", labels.get(i));
          }
        });
    return CommandOutput.of(table.toString());
  }

  private static void model(ObjectNode json, int id, List<String> labels) {
    json.put("id", id);
    ArrayNode array = json.putArray("labels");
    labels.forEach(array::add);
  }

  private static CommandOutput endpoints(AgentView view, Arguments arguments) {
    Map<Integer, List<String>> labels = new TreeMap<>();
    Map<Integer, Integer> references = new TreeMap<>();
    labels.put(ReservedIdentity.HOST.id(), ReservedIdentity.HOST.labels());
    references.put(ReservedIdentity.HOST.id(), 1);
    for (EndpointModel endpoint : view.endpoints()) {
      if (endpoint.identity() != 0) {
        labels.put(endpoint.identity(), endpoint.labels());
        references.merge(endpoint.identity(), 1, Integer::sum);
      }
    }
    if (arguments.json()) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      labels.forEach(
          (id, of) -> {
            ObjectNode json = array.addObject();
            model(json.putObject("identity"), id, of);
            json.put("refCount", references.getOrDefault(id, 0));
          });
      return Json.print(array);
    }
    TabWriter table = new TabWriter();
    table.row("ID", "LABELS", "REFCOUNT");
    labels.forEach(
        (id, of) -> {
          table.line(id + "\t" + of.getFirst() + "\t" + references.getOrDefault(id, 0) + "\t");
          of.stream().skip(1).forEach(label -> table.line("\t" + label + "\t"));
        });
    return CommandOutput.of(table.toString());
  }

  static CommandOutput ips(AgentView view, Arguments arguments) {
    Map<Integer, List<String>> identities = all(view);
    boolean verbose = arguments.has("v", "verbose");
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    TabWriter table = new TabWriter();
    table.line(verbose ? "IP\tIDENTITY\tSOURCE\tHOST\tENCRYPT_KEY" : "IP\tIDENTITY\tSOURCE");
    List<Claim> claims = new ArrayList<>(view.ipcache().values());
    claims.sort(
        Comparator.comparing((Claim c) -> IpcacheKey.decode(c.key().array()).address())
            .thenComparingInt(c -> IpcacheKey.decode(c.key().array()).prefixLength()));
    for (Claim claim : claims) {
      String cidr = IpcacheKey.decode(claim.key().array()).toString();
      RemoteEndpointInfo info = RemoteEndpointInfo.decode(claim.value().array());
      String host =
          info.tunnelEndpoint().equals(Ipv4Address.ANY) ? "" : info.tunnelEndpoint().toString();
      List<String> labels =
          arguments.has("n", "numeric")
              ? List.of(Integer.toString(info.securityIdentity()))
              : identities.getOrDefault(
                  info.securityIdentity(), List.of(Integer.toString(info.securityIdentity())));
      String source = claim.source().label();
      table.line(
          cidr
              + "\t"
              + labels.getFirst()
              + "\t"
              + source
              + (verbose ? "\t" + host + "\t" + info.key() : ""));
      labels.stream().skip(1).forEach(label -> table.line("\t" + label + "\t"));
      ObjectNode json = array.addObject();
      json.put("cidr", cidr);
      json.put("encryptKey", info.key());
      if (!host.isEmpty()) {
        json.put("hostIP", host);
      }
      json.put("identity", info.securityIdentity());
      json.putObject("metadata").put("source", source);
    }
    return arguments.json() ? Json.print(array) : CommandOutput.of(table.toString());
  }
}
