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
import dev.paramecium.agent.endpoint.StatusLog;
import dev.paramecium.agent.policy.EndpointMap;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** {@code cilium endpoint list|get|log|regenerate} ({@code cilium/cmd/endpoint_*.go}). */
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
    Optional<Row> row = row(view, arguments.word(2));
    if (row.isEmpty()) {
      return unknown(
          "Cannot get endpoint ",
          arguments.word(2),
          "[GET /endpoint/{id}][404] getEndpointIdNotFound");
    }
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    array.add(json(view, row.get()));
    return Json.print(array);
  }

  static CommandOutput log(AgentView view, Arguments arguments) {
    Optional<Row> row = row(view, arguments.word(2));
    if (row.isEmpty()) {
      return unknown(
          "Cannot get endpoint log ",
          arguments.word(2),
          "[GET /endpoint/{id}/log][404] getEndpointIdLogNotFound");
    }
    List<StatusLog.Entry> entries = view.endpointApi().log(row.get().id());
    if (arguments.json()) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      for (StatusLog.Entry entry : entries) {
        array
            .addObject()
            .put("code", entry.code())
            .put("message", entry.message())
            .put("state", entry.state().toString())
            .put("timestamp", second(entry));
      }
      return Json.print(array);
    }
    TabWriter table = new TabWriter(2, 3);
    table.row("Timestamp", "Status", "State", "Message");
    for (StatusLog.Entry entry : entries) {
      table.row(second(entry), entry.code(), entry.state().toString(), entry.message());
    }
    return CommandOutput.of(table.toString());
  }

  private static String second(StatusLog.Entry entry) {
    return entry.at().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  static CommandOutput regenerate(AgentView view, Arguments arguments) {
    String wanted = arguments.word(2);
    Optional<Row> row = row(view, wanted);
    if (row.isEmpty()) {
      return unknown(
          "Cannot regenerate endpoint ",
          wanted,
          "[PATCH /endpoint/{id}/config][404] patchEndpointIdConfigNotFound");
    }
    // The node's own endpoint has no policy map here that could be written.
    view.endpointApi().regenerate(row.get().id());
    return CommandOutput.of("Endpoint " + wanted + " successfully regenerated\n");
  }

  private static Optional<Row> row(AgentView view, String wanted) {
    return rows(view).stream().filter(row -> matches(row, wanted)).findFirst();
  }

  /** The labels of an endpoint's identity; empty if there is no such endpoint. */
  static Optional<List<String>> labels(AgentView view, String wanted) {
    return row(view, wanted).map(Row::labels);
  }

  private static CommandOutput unknown(String what, String wanted, String answer) {
    return wanted.isEmpty()
        ? CommandOutput.error(
            "missing endpoint id argument: use an id, ipv4:ADDRESS or pod-name:NAMESPACE:NAME")
        : CommandOutput.error(what + wanted + ": " + answer);
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
    // The node's own endpoint has no map that could lag behind.
    long revision = row.model().map(EndpointModel::policyRevision).orElse(view.policy().revision());
    realized.put("policy-revision", revision);
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
