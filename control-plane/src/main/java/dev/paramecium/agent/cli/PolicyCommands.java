package dev.paramecium.agent.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.policy.NodePolicy;
import dev.paramecium.policy.CachedSelector;
import dev.paramecium.policy.rule.InvalidRuleException;
import dev.paramecium.policy.rule.Label;
import dev.paramecium.policy.rule.PolicyRule;
import dev.paramecium.policy.rule.RuleWriter;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/** {@code cilium policy get|import|delete|selectors|trace} ({@code cilium/cmd/policy_*.go}). */
final class PolicyCommands {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private PolicyCommands() {}

  static CommandOutput run(AgentView view, Arguments arguments) {
    NodePolicy policy = view.policy();
    List<String> more =
        arguments.words().subList(Math.min(2, arguments.words().size()), arguments.words().size());
    return switch (arguments.word(1)) {
      case "get" -> get(policy, more, arguments);
      case "import" -> importRules(policy, more, arguments);
      case "delete" -> delete(policy, more, arguments);
      case "selectors" -> selectors(policy, arguments);
      case "trace" -> PolicyTraceCommand.run(view, arguments);
      default ->
          CommandOutput.error(
              "unknown command \""
                  + arguments.word(1)
                  + "\" for \"cilium policy\": use one of delete, get, import, selectors, trace,"
                  + " wait");
    };
  }

  private static List<Label> labels(List<String> words) {
    return words.stream().map(Label::parse).toList();
  }

  private static CommandOutput get(NodePolicy policy, List<String> words, Arguments arguments) {
    List<PolicyRule> rules = policy.rulesWith(labels(words));
    if (rules.isEmpty() && !words.isEmpty()) {
      return CommandOutput.error(
          "Cannot get policy: [GET /policy][404] getPolicyNotFound : no rule has the labels "
              + String.join(" ", words));
    }
    return print(policy, RuleWriter.write(rules), arguments, true);
  }

  private static CommandOutput print(
      NodePolicy policy, JsonNode rules, Arguments arguments, boolean withRules) {
    if (arguments.json()) {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      json.put("policy", Json.print(rules).stdout().strip()).put("revision", policy.revision());
      return Json.print(json);
    }
    String text = withRules ? Json.print(rules).stdout() : "";
    return CommandOutput.of(text + "Revision: " + policy.revision() + "\n");
  }

  /** The client has read the file: what the word holds is the list itself. */
  private static CommandOutput importRules(
      NodePolicy policy, List<String> words, Arguments arguments) {
    if (words.size() != 1) {
      return CommandOutput.error("path to policy file is required: cilium policy import <path>");
    }
    JsonNode list;
    try {
      JsonNode json = MAPPER.readTree(words.getFirst());
      list = json.isObject() ? JsonNodeFactory.instance.arrayNode().add(json) : json;
    } catch (JsonProcessingException e) {
      return CommandOutput.error("Cannot parse policy: " + e.getOriginalMessage());
    }
    if (!list.isArray()) {
      return CommandOutput.error("Cannot parse policy: it must be a list of rules in JSON");
    }
    if (list.isEmpty()) {
      return CommandOutput.of("No policy specified");
    }
    try {
      policy.importRules(list);
    } catch (InvalidRuleException e) {
      return CommandOutput.error(String.valueOf(e.getMessage()));
    }
    return print(policy, list, arguments, arguments.has("print"));
  }

  private static CommandOutput delete(NodePolicy policy, List<String> words, Arguments arguments) {
    if (words.isEmpty() && !arguments.has("all")) {
      return CommandOutput.error("Please use --all flag to delete all policies");
    }
    if (policy.deleteRules(labels(words)) == 0 && !words.isEmpty()) {
      return CommandOutput.error(
          "Cannot delete policy: [DELETE /policy][404] deletePolicyNotFound : no rule has the"
              + " labels "
              + String.join(" ", words));
    }
    return CommandOutput.of("Revision: " + policy.revision() + "\n");
  }

  private static CommandOutput selectors(NodePolicy policy, Arguments arguments) {
    List<CachedSelector> selectors =
        policy.selectors().stream()
            .filter(selector -> policy.users(selector) > 0)
            .sorted(Comparator.comparing(CachedSelector::toString))
            .toList();
    if (arguments.json()) {
      ArrayNode json = JsonNodeFactory.instance.arrayNode();
      for (CachedSelector selector : selectors) {
        ObjectNode one = json.addObject();
        ArrayNode identities = one.putArray("identities");
        selector.selections().forEach(identities::add);
        one.put("selector", selector.toString()).put("users", policy.users(selector));
      }
      return Json.print(json);
    }
    TabWriter table = new TabWriter(5, 3);
    table.row("SELECTOR", "USERS", "IDENTITIES");
    for (CachedSelector selector : selectors) {
      Iterator<Integer> identities = selector.selections().iterator();
      String first = identities.hasNext() ? identities.next().toString() : "";
      table.row(selector.toString(), Integer.toString(policy.users(selector)), first, "");
      identities.forEachRemaining(identity -> table.row("", "", identity.toString(), ""));
    }
    return CommandOutput.of(table.toString());
  }
}
