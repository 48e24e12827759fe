package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.service.KubernetesServices.Redirected;
import java.util.List;

/** {@code cilium lrp list} ({@code cilium/cmd/lrp_list.go}). */
final class RedirectTable {

  private RedirectTable() {}

  static CommandOutput list(AgentView view, Arguments arguments) {
    List<Redirected> redirected = view.redirected().get();
    if (arguments.json()) {
      ArrayNode json = JsonNodeFactory.instance.arrayNode();
      redirected.forEach(one -> json(one, json.addObject()));
      return Json.print(json);
    }
    TabWriter table = new TabWriter(5, 3);
    table.row("LRP namespace", "LRP name", "FrontendType", "Matching Service");
    for (Redirected one : redirected) {
      table.row(
          one.policy().namespace(),
          one.policy().name(),
          one.policy().frontendType(),
          one.policy().service());
      one.frontends()
          .forEach(
              (frontend, backends) ->
                  table.row("", "|", frontend + " -> " + String.join(", ", backends), ""));
    }
    return CommandOutput.of(table.toString());
  }

  private static void json(Redirected one, ObjectNode json) {
    json.put("namespace", one.policy().namespace()).put("name", one.policy().name());
    json.put("frontend-type", one.policy().frontendType());
    json.put("lrp-type", one.policy().service().isEmpty() ? "addr" : "svc");
    json.put("service-id", one.policy().service());
    ArrayNode mappings = json.putArray("frontend-mappings");
    one.frontends()
        .forEach(
            (frontend, backends) -> {
              ObjectNode mapping = mappings.addObject().put("frontend", frontend);
              ArrayNode to = mapping.putArray("backends");
              backends.forEach(to::add);
            });
  }
}
