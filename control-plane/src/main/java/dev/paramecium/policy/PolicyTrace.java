package dev.paramecium.policy;

import dev.paramecium.policy.rule.EndpointSelector;
import dev.paramecium.policy.rule.HttpRule;
import dev.paramecium.policy.rule.IcmpField;
import dev.paramecium.policy.rule.InvalidRuleException;
import dev.paramecium.policy.rule.KafkaRule;
import dev.paramecium.policy.rule.L7Rules;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.Peers;
import dev.paramecium.policy.rule.PolicyRule;
import dev.paramecium.policy.rule.PortProtocol;
import dev.paramecium.policy.rule.PortRule;
import dev.paramecium.policy.rule.Requirement;
import dev.paramecium.policy.rule.RuleWriter;
import dev.paramecium.policy.rule.TrafficRule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code cilium policy trace}: what the rules say of two sets of labels, which no endpoint need
 * have, told step by step in the words of v1.12.3 ({@code daemon/cmd/policy.go}, {@code
 * pkg/policy/rule.go, rules.go, l4.go}).
 *
 * <pre>
 *   rules --select the subject--> their entries --name the peer, cover a port--> filters --> verdict
 * </pre>
 */
public final class PolicyTrace {

  private final PolicyOptions options;
  private final List<PolicyRule> rules;
  private final LabelSet from;
  private final LabelSet to;
  private final List<PortProtocol> ports;
  private final boolean verbose;
  private final StringBuilder log = new StringBuilder();

  /**
   * What was found.
   *
   * @param log in lines
   */
  public record Result(String log, boolean allowed) {

    /** {@code allowed} or {@code denied}. */
    public String verdict() {
      return PolicyTrace.verdict(allowed);
    }
  }

  private PolicyTrace(
      PolicyOptions options,
      List<PolicyRule> rules,
      LabelSet from,
      LabelSet to,
      List<PortProtocol> ports,
      boolean verbose) {
    this.options = options;
    this.rules = rules;
    this.from = from;
    this.to = to;
    this.ports = ports;
    this.verbose = verbose;
  }

  /**
   * Asks the rules.
   *
   * @param ports all of them must be open; with protocol {@code ANY} TCP or UDP is enough
   * @param verbose whether rules that select nobody here are named, too
   */
  public static Result of(
      List<PolicyRule> rules,
      PolicyOptions options,
      LabelSet from,
      LabelSet to,
      List<PortProtocol> ports,
      boolean verbose) {
    return new PolicyTrace(options, rules, from, to, ports, verbose).run();
  }

  private static String verdict(boolean allowed) {
    return allowed ? "allowed" : "denied";
  }

  private Result run() {
    boolean leaves = true;
    boolean enters = true;
    String open = "";
    switch (options.enforcement()) {
      case NEVER -> open = "Policy enforcement is disabled for the daemon.";
      case DEFAULT -> {
        leaves = selecting(from).anyMatch(PolicyRule::closesEgress);
        enters = selecting(to).anyMatch(PolicyRule::closesIngress);
        if (!leaves && !enters) {
          open =
              "Policy enforcement is disabled because no rules in the policy repository match any"
                  + " endpoint selector from the provided destination sets of labels.";
        }
      }
      case ALWAYS -> {}
    }
    if (!open.isEmpty()) {
      say(question());
      say("  " + open);
      say("Label verdict: " + verdict(true));
      return new Result(log.toString(), true);
    }
    boolean out = !leaves || direction(false);
    say("");
    boolean in = !enters || direction(true);
    return new Result(log.toString(), out && in);
  }

  private Stream<PolicyRule> selecting(LabelSet labels) {
    return rules.stream().filter(rule -> selects(rule, labels));
  }

  private static boolean selects(PolicyRule rule, LabelSet labels) {
    EndpointSelector nodes = rule.nodeSelector();
    EndpointSelector selector = nodes == null ? rule.endpointSelector() : nodes;
    return selector != null && selector.matches(labels);
  }

  /** As Go's logger: each piece ends its line. */
  private void say(String text) {
    log.append(text);
    if (text.isEmpty() || !text.endsWith("\n")) {
      log.append('\n');
    }
  }

  private String question() {
    return "From: [%s] => To: [%s] Ports: [%s]".formatted(listed(from), listed(to), listed(ports));
  }

  private static String listed(LabelSet labels) {
    return listed(labels.labels());
  }

  private static String listed(List<?> items) {
    return items.stream().map(Object::toString).collect(Collectors.joining(", "));
  }

  private static String array(LabelSet labels) {
    return labels.labels().stream()
        .map(Object::toString)
        .collect(Collectors.joining(" ", "[", "]"));
  }

  // ---- one direction

  private boolean direction(boolean ingress) {
    String name = ingress ? "ingress" : "egress";
    LabelSet subject = ingress ? to : from;
    Function<PolicyRule, List<TrafficRule>> allows =
        ingress ? PolicyRule::ingress : PolicyRule::egress;
    Function<PolicyRule, List<TrafficRule>> denies =
        ingress ? PolicyRule::ingressDeny : PolicyRule::egressDeny;
    say("Tracing " + question());
    say("");
    say("Resolving " + name + " policy for " + array(subject));
    List<PolicyRule> selected = selecting(subject).toList();
    if (verbose) {
      rules.stream()
          .filter(rule -> !selected.contains(rule))
          .forEach(rule -> say("  Rule " + shown(rule) + ": did not select " + array(subject)));
    }
    List<Requirement> allowRequirements = L4PolicyBuilder.requirements(selected, allows);
    List<Requirement> denyRequirements = L4PolicyBuilder.requirements(selected, denies);
    List<PolicyRule> touching = new ArrayList<>();
    boolean allowFound = false;
    boolean denyFound = false;
    for (PolicyRule rule : selected) {
      say("* Rule " + shown(rule) + ": selected");
      if (allows.apply(rule).isEmpty() && denies.apply(rule).isEmpty()) {
        say("    No " + name + " rules");
      }
      List<TrafficRule> allowed = touching(allows.apply(rule), ingress, false, allowRequirements);
      List<TrafficRule> denied = touching(denies.apply(rule), ingress, true, denyRequirements);
      allowFound |= allowed.stream().anyMatch(PolicyTrace::saysSomething);
      denyFound |= denied.stream().anyMatch(PolicyTrace::saysSomething);
      touching.add(with(rule, ingress, allowed, denied));
    }
    say(selected.size() + "/" + rules.size() + " rules selected");
    say(allowFound ? "Found allow rule" : "Found no allow rule");
    say(denyFound ? "Found deny rule" : "Found no deny rule");
    boolean open = isOpen(touching, ingress);
    say((ingress ? "Ingress" : "Egress") + " verdict: " + verdict(open));
    return open;
  }

  private static String shown(PolicyRule rule) {
    return RuleWriter.selector(rule.endpointSelector());
  }

  private static PolicyRule with(
      PolicyRule rule, boolean ingress, List<TrafficRule> allowed, List<TrafficRule> denied) {
    return new PolicyRule(
        rule.policy(),
        rule.spec(),
        rule.endpointSelector(),
        rule.nodeSelector(),
        ingress ? allowed : List.of(),
        ingress ? denied : List.of(),
        ingress ? List.of() : allowed,
        ingress ? List.of() : denied,
        rule.labels(),
        rule.description());
  }

  private static boolean saysSomething(TrafficRule rule) {
    return !rule.toPorts().isEmpty()
        || !rule.icmps().isEmpty()
        || !rule.peers().withEndpoints(rule.peers().endpoints(), List.of()).equals(Peers.NONE);
  }

  // ---- a rule's entries

  /**
   * The entries as far as they are about the peer and, for ingress, about a port; of the others
   * only what they require of everybody's peers is left.
   */
  private List<TrafficRule> touching(
      List<TrafficRule> section, boolean ingress, boolean deny, List<Requirement> requirements) {
    List<TrafficRule> touching = new ArrayList<>();
    for (TrafficRule rule : section) {
      List<EndpointSelector> peers = rule.peers().selectors(requirements, options.clusterName());
      touching.add(
          peers.isEmpty() || namesThePeer(peers, ingress, deny)
              ? onPorts(rule, ingress, deny)
              : new TrafficRule(requirementsOf(rule), List.of(), List.of()));
    }
    return touching;
  }

  private static Peers requirementsOf(TrafficRule rule) {
    return Peers.NONE.withEndpoints(List.of(), rule.peers().requires());
  }

  private boolean namesThePeer(List<EndpointSelector> peers, boolean ingress, boolean deny) {
    StringBuilder text = new StringBuilder();
    List<Requirement> expressions = peers.getFirst().matchExpressions();
    if (!expressions.isEmpty()) {
      text.append("    Enforcing requirements ")
          .append(
              expressions.stream()
                  .map(
                      one ->
                          "{Key:%s Operator:%s Values:[%s]}"
                              .formatted(one.key(), one.operator(), String.join(" ", one.values())))
                  .collect(Collectors.joining(" ", "[", "]\n")));
    }
    for (EndpointSelector peer : peers) {
      if (!peer.matchLabels().isEmpty()) {
        text.append(deny ? "    Denies " : "    Allows ")
            .append(ingress ? "from" : "to")
            .append(" labels ")
            .append(RuleWriter.selector(peer))
            .append('\n');
      }
    }
    say(text.toString());
    LabelSet peer = ingress ? from : to;
    boolean matches = peers.stream().anyMatch(selector -> selector.matches(peer));
    say(matches ? "      Found all required labels" : "      No label match for " + array(peer));
    return matches;
  }

  private TrafficRule onPorts(TrafficRule rule, boolean ingress, boolean deny) {
    String verb = deny ? "      Denies " : "      Allows ";
    List<PortRule> open = new ArrayList<>();
    for (PortRule one : rule.toPorts()) {
      say(verb + "port " + ports(one.ports()));
      if (ingress && one.ports().stream().noneMatch(this::covers)) {
        say("        No port match found");
      } else {
        sayL7(one.rules(), ingress);
        open.add(one);
      }
    }
    List<List<IcmpField>> types = new ArrayList<>();
    for (List<IcmpField> fields : rule.icmps()) {
      List<PortProtocol> as = fields.stream().map(IcmpField::portProtocol).toList();
      say(verb + "ICMP type " + ports(as));
      if (ingress && as.stream().noneMatch(this::covers)) {
        say("        No ICMP type match found");
      } else {
        types.add(fields);
      }
    }
    boolean hadPorts = !rule.toPorts().isEmpty() || !rule.icmps().isEmpty();
    // With none of its ports left it must not become a rule about every port.
    Peers peers =
        hadPorts && open.isEmpty() && types.isEmpty() ? requirementsOf(rule) : rule.peers();
    return new TrafficRule(peers, open, types);
  }

  private boolean covers(PortProtocol port) {
    return ports.stream()
        .anyMatch(
            asked ->
                port.port().equals(asked.port())
                    && (port.protocol().equals(asked.protocol())
                        || port.protocol().isEmpty()
                        || port.protocol().equals(PortProtocol.ANY)));
  }

  private static String ports(List<PortProtocol> ports) {
    return ports.stream()
        .map(port -> "{" + port.port() + " " + port.protocol() + "}")
        .collect(Collectors.joining(" ", "[", "]"));
  }

  private void sayL7(L7Rules rules, boolean ingress) {
    if (ingress && !rules.protocol().isEmpty()) {
      say("        l7proto: \"" + rules.protocol() + "\"");
    }
    for (HttpRule http : orEmpty(rules.http())) {
      say(
          "          {Path:%s Method:%s Host:%s Headers:[%s] HeaderMatches:[%s]}"
              .formatted(
                  http.path(),
                  http.method(),
                  http.host(),
                  String.join(" ", http.headers()),
                  http.headerMatches().stream()
                      .map(HttpRule.HeaderMatch::name)
                      .collect(Collectors.joining(" "))));
    }
    for (KafkaRule kafka : orEmpty(rules.kafka())) {
      say(
          "          {Role:%s APIKey:%s APIVersion:%s ClientID:%s Topic:%s}"
              .formatted(
                  kafka.role(),
                  kafka.apiKey(),
                  kafka.apiVersion(),
                  kafka.clientId(),
                  kafka.topic()));
    }
    for (Map<String, String> pairs : orEmpty(rules.keyValues())) {
      say(
          pairs.entrySet().stream()
              .sorted(Map.Entry.comparingByKey())
              .map(pair -> pair.getKey() + ":" + pair.getValue())
              .collect(Collectors.joining(" ", "          map[", "]")));
    }
  }

  private static <T> List<T> orEmpty(@Nullable List<T> list) {
    return list == null ? List.of() : list;
  }

  // ---- the verdict

  /** Rules that cannot stand together let nothing pass. */
  private boolean isOpen(List<PolicyRule> touching, boolean ingress) {
    SortedMap<String, L4Filter> filters;
    try {
      filters = L4PolicyBuilder.build(touching, ingress, new SelectorCache(), options);
    } catch (InvalidRuleException conflict) {
      return false;
    }
    Map<String, @Nullable Boolean> denied = new HashMap<>();
    filters.forEach((port, filter) -> denied.put(port, isDenied(filter, ingress ? from : to)));
    Boolean everyPort = denied.get(PortProtocol.NONE.toString());
    if (everyPort != null) {
      return !everyPort;
    }
    return !filters.isEmpty() && ports.stream().allMatch(port -> isOpen(port, denied));
  }

  private static boolean isOpen(PortProtocol port, Map<String, @Nullable Boolean> denied) {
    if (!port.protocol().equals(PortProtocol.ANY)) {
      return Objects.equals(denied.get(port.toString()), false);
    }
    Boolean tcp = denied.get(new PortProtocol(port.port(), PortProtocol.TCP).toString());
    Boolean udp = denied.get(new PortProtocol(port.port(), PortProtocol.UDP).toString());
    // As v1.12.3: it takes a deny of both protocols to deny any.
    return (tcp != null || udp != null)
        && !(Objects.equals(tcp, true) && Objects.equals(udp, true));
  }

  /** What the filter says of a peer with these labels; null if it does not name it. */
  private static @Nullable Boolean isDenied(L4Filter filter, LabelSet peer) {
    Boolean denied = null;
    for (Map.Entry<CachedSelector, PeerPolicy> one : filter.peers().entrySet()) {
      if (one.getKey().isWildcard()) {
        return one.getValue().deny();
      }
      if (one.getKey().selector() instanceof EndpointSelector labels && labels.matches(peer)) {
        denied = one.getValue().deny() || Objects.equals(denied, true);
      }
    }
    return denied;
  }
}
