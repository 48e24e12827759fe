package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.endpoint.EndpointSpec;
import dev.paramecium.agent.endpoint.EndpointState;
import dev.paramecium.agent.policy.EndpointMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** {@code cilium endpoint list|get} ({@code cilium/cmd/endpoint_list.go, endpoint_get.go}). */
final class EndpointTables {

  /** An endpoint as it is listed; the node's own has no address and no device. */
  private record Row(
      int id,
      EndpointState state,
      int identity,
      List<String> labels,
      String ipv4,
      Optional<EndpointModel> model) {}

  private EndpointTables() {}

  private static List<Row> rows(AgentView view) {
    List<Row> rows = new ArrayList<>();
    rows.add(
        new Row(
            view.hostEndpointId(),
            view.ready() ? EndpointState.READY : EndpointState.REGENERATING,
            ReservedIdentity.HOST.id(),
            ReservedIdentity.HOST.labels(),
            "",
            Optional.empty()));
    for (EndpointModel model : view.endpoints()) {
      rows.add(
          new Row(
              model.spec().id(),
              model.state(),
              model.identity(),
              model.labels(),
              model.spec().address().toString(),
              Optional.of(model)));
    }
    rows.sort(Comparator.comparingInt(Row::id));
    return rows;
  }

  static CommandOutput list(AgentView view, Arguments arguments) {
    List<Row> rows = rows(view);
    if (arguments.json()) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      rows.forEach(row -> array.add(json(view, row)));
      return Json.print(array);
    }
    TabWriter table = new TabWriter();
    if (!arguments.has("no-headers")) {
      table.line(
          "ENDPOINT\tPOLICY (ingress)\tPOLICY (egress)\tIDENTITY\tLABELS (source:key[=value])"
              + "\tIPv6\tIPv4\tSTATUS\t");
      // One cell fewer than the rows, as in Cilium: STATUS is a column of its own above and below.
      table.line("\tENFORCEMENT\tENFORCEMENT\t\t\t\t\t");
    }
    for (Row row : rows) {
      List<String> labels = row.labels().isEmpty() ? List.of("no labels") : row.labels();
      String identity = row.identity() == 0 ? "<no label id>" : Integer.toString(row.identity());
      table.line(
          String.join(
              "\t",
              Integer.toString(row.id()),
              enforcement(view, row, EndpointMap::ingressClosed),
              enforcement(view, row, EndpointMap::egressClosed),
              identity,
              labels.getFirst(),
              "",
              row.ipv4(),
              row.state().toString(),
              ""));
      labels.stream().skip(1).forEach(label -> table.line("\t\t\t\t" + label + "\t\t\t\t"));
    }
    return CommandOutput.of(table.toString());
  }

  /** In audit mode nothing is held back, and the list says so. */
  private static String enforcement(AgentView view, Row row, Predicate<EndpointMap> isClosed) {
    boolean closed = row.model().map(EndpointModel::policy).map(isClosed::test).orElse(false);
    if (!closed) {
      return "Disabled";
    }
    return view.options().isOn("policy-audit-mode") ? "Disabled (Audit)" : "Enabled";
  }

  private static String policyEnabled(AgentView view, Row row) {
    Optional<EndpointMap> policy = row.model().map(EndpointModel::policy);
    boolean ingress = policy.map(EndpointMap::ingressClosed).orElse(false);
    boolean egress = policy.map(EndpointMap::egressClosed).orElse(false);
    String directions = ingress && egress ? "both" : ingress ? "ingress" : "egress";
    if (!ingress && !egress) {
      return "none";
    }
    return (view.options().isOn("policy-audit-mode") ? "audit-" : "") + directions;
  }

  static CommandOutput get(AgentView view, Arguments arguments) {
    String wanted = arguments.word(2);
    if (wanted.isEmpty()) {
      return CommandOutput.error(
          "missing endpoint id argument: use an id, ipv4:ADDRESS or pod-name:NAMESPACE:NAME");
    }
    for (Row row : rows(view)) {
      if (matches(row, wanted)) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        array.add(json(view, row));
        return Json.print(array);
      }
    }
    return CommandOutput.error(
        "Cannot get endpoint " + wanted + ": [GET /endpoint/{id}][404] getEndpointIdNotFound");
  }

  private static boolean matches(Row row, String wanted) {
    int colon = wanted.indexOf(':');
    String prefix = colon < 0 ? "cilium-local" : wanted.substring(0, colon);
    String value = wanted.substring(colon + 1);
    return switch (prefix) {
      case "cilium-local" -> value.equals(Integer.toString(row.id()));
      case "ipv4" -> value.equals(row.ipv4());
      case "pod-name" ->
          row.model()
              .map(model -> model.spec().owner().replace('/', ':').equals(value.replace('/', ':')))
              .orElse(false);
      default -> false;
    };
  }

  private static ObjectNode json(AgentView view, Row row) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("id", row.id());
    ObjectNode spec = json.putObject("spec");
    spec.putObject("label-configuration");
    spec.put("policy-enforcement", policyEnabled(view, row));
    ObjectNode status = json.putObject("status");
    ObjectNode external = status.putObject("external-identifiers");
    row.model().ifPresent(model -> external(external, model.spec()));
    ObjectNode identity = status.putObject("identity");
    identity.put("id", row.identity());
    ArrayNode labels = identity.putArray("labels");
    row.labels().forEach(labels::add);
    ArrayNode relevant = status.putObject("labels").putArray("security-relevant");
    row.labels().forEach(relevant::add);
    ObjectNode networking = status.putObject("networking");
    ObjectNode addressing = networking.putArray("addressing").addObject();
    if (!row.ipv4().isEmpty()) {
      addressing.put("ipv4", row.ipv4());
    }
    row.model().ifPresent(model -> networking(networking, model));
    ObjectNode realized = status.putObject("policy").putObject("realized");
    realized.put("id", row.identity());
    realized.put("policy-enabled", policyEnabled(view, row));
    realized.put(
        "policy-revision", row.model().map(EndpointModel::policyRevision).orElse(1L).longValue());
    status.put("state", row.state().toString());
    return json;
  }

  private static void external(ObjectNode json, EndpointSpec spec) {
    EndpointSpec.PodRef pod = spec.pod();
    if (pod != null) {
      json.put("k8s-namespace", pod.namespace());
      json.put("k8s-pod-name", pod.name());
      json.put("pod-name", pod.toString());
    }
  }

  private static void networking(ObjectNode json, EndpointModel model) {
    if (!model.nodeMac().equals(MacAddress.ZERO)) {
      json.put("host-mac", model.nodeMac().toString());
      json.put("interface-index", model.ifindex());
      json.put("interface-name", model.spec().ifname());
      json.put("mac", model.mac().toString());
    }
  }
}
