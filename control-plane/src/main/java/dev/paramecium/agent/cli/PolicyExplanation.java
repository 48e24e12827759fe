package dev.paramecium.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.abi.TabWriter;
import dev.paramecium.agent.desired.Claim;
import dev.paramecium.agent.endpoint.EndpointModel;
import dev.paramecium.agent.policy.EndpointMap;
import dev.paramecium.policy.MapState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Which rules an endpoint's policy map comes from: {@code paramecium-policy explain NAMESPACE/POD}
 * and {@code paramecium-policy decide NAMESPACE/POD ingress|egress PEER PORT PROTOCOL}, where the
 * peer is an identity's number or an address; more than one such question gets as many lines. Not
 * v1.12.3's: its agent keeps the labels of a rule, which do not say the section.
 */
final class PolicyExplanation {

  static final String PROGRAM = "paramecium-policy";

  private static final Comparator<Map.Entry<PolicyKey, MapState.Entry>> ORDER =
      Comparator.<Map.Entry<PolicyKey, MapState.Entry>, Boolean>comparing(
              entry -> entry.getKey().egress())
          .thenComparing(entry -> !entry.getValue().deny())
          .thenComparingLong(entry -> Integer.toUnsignedLong(entry.getKey().securityIdentity()))
          .thenComparingInt(entry -> entry.getKey().protocol())
          .thenComparingInt(entry -> entry.getKey().destinationPort());

  private static final String HOW_TO_ASK =
      "a decision is asked for by numbers: NAMESPACE/POD ingress|egress IDENTITY|ADDRESS PORT"
          + " PROTOCOL, the last four as often as wanted";

  private PolicyExplanation() {}

  static CommandOutput run(AgentView view, Arguments arguments) {
    String pod = arguments.word(1);
    for (EndpointModel endpoint : view.endpoints()) {
      boolean isAsked =
          pod.equals(endpoint.spec().owner()) || pod.equals(Integer.toString(endpoint.spec().id()));
      if (isAsked) {
        EndpointMap policy = endpoint.policy();
        if (policy == null) {
          return CommandOutput.error(
              "pod " + pod + " has no policy map yet: its endpoint is " + endpoint.state());
        }
        return switch (arguments.word(0)) {
          case "explain" -> explain(view, endpoint, policy, arguments.json());
          case "decide" -> decide(view, policy, arguments);
          default ->
              CommandOutput.error(
                  "unknown command \"" + arguments.word(0) + "\": use explain or decide");
        };
      }
    }
    return CommandOutput.error(
        "pod \"" + pod + "\" has no endpoint on " + view.nodeName() + ": use NAMESPACE/POD");
  }

  private static CommandOutput explain(
      AgentView view, EndpointModel endpoint, EndpointMap policy, boolean json) {
    List<Map.Entry<PolicyKey, MapState.Entry>> entries =
        policy.entries().entrySet().stream().sorted(ORDER).toList();
    if (json) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      entries.forEach(entry -> json(array.addObject(), view, entry));
      closed(array, "ingress", policy.ingressClosed(), policy.closedIngressBy());
      closed(array, "egress", policy.egressClosed(), policy.closedEgressBy());
      return Json.print(array);
    }
    return CommandOutput.of(
        "%s: endpoint %d, identity %d, policy revision %d%n"
                .formatted(
                    endpoint.spec().owner(),
                    endpoint.spec().id(),
                    endpoint.identity(),
                    policy.revision())
            + "\nMay reach it:\n"
            + direction(view, entries, false, policy.ingressClosed(), policy.closedIngressBy())
            + "\nIt may reach:\n"
            + direction(view, entries, true, policy.egressClosed(), policy.closedEgressBy()));
  }

  private static String direction(
      AgentView view,
      List<Map.Entry<PolicyKey, MapState.Entry>> entries,
      boolean egress,
      boolean isClosed,
      Collection<String> closedBy) {
    TabWriter table = new TabWriter();
    table.row("VERDICT", "PORT/PROTO", "PEER", "BY");
    for (Map.Entry<PolicyKey, MapState.Entry> entry : entries) {
      if (entry.getKey().egress() == egress) {
        List<String> peer = peer(view, entry.getKey().securityIdentity());
        table.row(
            EndpointMap.verdict(entry.getValue()),
            entry.getKey().portProtocol(),
            peer.getFirst(),
            rules(entry.getValue()));
        peer.stream().skip(1).forEach(label -> table.row("", "", label, ""));
      }
    }
    if (isClosed) {
      table.row("deny", "ANY", "anyone else", "default deny of " + sorted(closedBy));
    }
    return table.toString();
  }

  private static void json(
      ObjectNode json, AgentView view, Map.Entry<PolicyKey, MapState.Entry> entry) {
    json.put("direction", entry.getKey().egress() ? "egress" : "ingress");
    json.put("verdict", EndpointMap.verdict(entry.getValue()));
    json.put("port", entry.getKey().destinationPort());
    json.put("protocol", entry.getKey().protocol());
    json.put("identity", Integer.toUnsignedLong(entry.getKey().securityIdentity()));
    ArrayNode labels = json.putArray("peer");
    peer(view, entry.getKey().securityIdentity()).forEach(labels::add);
    ArrayNode rules = json.putArray("rules");
    entry.getValue().origins().forEach(origin -> rules.add(origin.toString()));
  }

  private static void closed(
      ArrayNode array, String direction, boolean isClosed, Collection<String> closedBy) {
    if (isClosed) {
      ObjectNode json = array.addObject();
      json.put("direction", direction);
      json.put("verdict", "default deny");
      ArrayNode rules = json.putArray("rules");
      closedBy.stream().sorted().forEach(rules::add);
    }
  }

  /** A question's words: direction, peer, port, protocol. */
  private static final int QUESTION = 4;

  /** Any number of questions; each answer is a line. */
  private static CommandOutput decide(AgentView view, EndpointMap policy, Arguments arguments) {
    List<String> words = arguments.words().subList(2, arguments.words().size());
    if (words.isEmpty() || words.size() % QUESTION != 0) {
      return CommandOutput.error(HOW_TO_ASK);
    }
    StringBuilder answers = new StringBuilder();
    try {
      for (int i = 0; i < words.size(); i += QUESTION) {
        boolean egress =
            switch (words.get(i)) {
              case "egress" -> true;
              case "ingress" -> false;
              default -> throw new IllegalArgumentException("neither ingress nor egress");
            };
        int peer = peer(view, words.get(i + 1));
        int port = Integer.parseInt(words.get(i + 2));
        int protocol = Integer.parseInt(words.get(i + 3));
        answers.append(policy.decide(egress, peer, port, protocol)).append('\n');
      }
    } catch (IllegalArgumentException _) {
      return CommandOutput.error(HOW_TO_ASK);
    }
    return CommandOutput.of(answers.toString());
  }

  /** An identity's number as it is; of an address what the ipcache says of it. */
  private static int peer(AgentView view, String text) {
    if (!text.contains(".")) {
      return Integer.parseUnsignedInt(text);
    }
    Ipv4Address address = Ipv4Address.parse(text);
    int identity = ReservedIdentity.WORLD.id();
    int longest = -1;
    for (Claim claim : view.ipcache().values()) {
      Ipv4Prefix prefix = IpcacheKey.decode(claim.key().array()).prefix();
      if (prefix.length() > longest && prefix.contains(address)) {
        longest = prefix.length();
        identity = RemoteEndpointInfo.decode(claim.value().array()).securityIdentity();
      }
    }
    return identity;
  }

  private static String rules(MapState.Entry entry) {
    return sorted(entry.origins().stream().map(Object::toString).toList());
  }

  private static String sorted(Collection<String> rules) {
    return rules.isEmpty()
        ? "the enforcement mode"
        : String.join(", ", rules.stream().sorted().toList());
  }

  /** An identity's labels; of a block of addresses the block. */
  private static List<String> peer(AgentView view, int identity) {
    if (identity == 0) {
      return List.of("anyone");
    }
    List<String> labels = view.identities().get(identity);
    if (labels != null && !labels.isEmpty()) {
      return labels;
    }
    if (identity >= ReservedIdentity.LOCAL_SCOPE) {
      List<String> blocks = new ArrayList<>();
      for (Claim claim : view.ipcache().values()) {
        if (RemoteEndpointInfo.decode(claim.value().array()).securityIdentity() == identity) {
          blocks.add("cidr:" + IpcacheKey.decode(claim.key().array()));
        }
      }
      if (!blocks.isEmpty()) {
        return blocks;
      }
    }
    return List.of(ReservedIdentity.nameOf(identity));
  }
}
