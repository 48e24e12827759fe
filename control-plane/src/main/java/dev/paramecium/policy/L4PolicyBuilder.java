package dev.paramecium.policy;

import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.policy.rule.EndpointSelector;
import dev.paramecium.policy.rule.Entity;
import dev.paramecium.policy.rule.IcmpField;
import dev.paramecium.policy.rule.L7Rules;
import dev.paramecium.policy.rule.PolicyRule;
import dev.paramecium.policy.rule.PortProtocol;
import dev.paramecium.policy.rule.PortRule;
import dev.paramecium.policy.rule.Requirement;
import dev.paramecium.policy.rule.TrafficRule;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Puts what the rules that select one endpoint say about one direction into filters by port (Cilium
 * {@code pkg/policy/rule.go}, {@code rules.go}).
 */
final class L4PolicyBuilder {

  private final boolean ingress;
  private final SelectorCache cache;
  private final PolicyOptions options;
  private final SortedMap<String, L4Filter> filters = new TreeMap<>();

  private L4PolicyBuilder(boolean ingress, SelectorCache cache, PolicyOptions options) {
    this.ingress = ingress;
    this.cache = cache;
    this.options = options;
  }

  static SortedMap<String, L4Filter> build(
      List<PolicyRule> rules, boolean ingress, SelectorCache cache, PolicyOptions options) {
    L4PolicyBuilder builder = new L4PolicyBuilder(ingress, cache, options);
    Function<PolicyRule, List<TrafficRule>> allow =
        ingress ? PolicyRule::ingress : PolicyRule::egress;
    Function<PolicyRule, List<TrafficRule>> deny =
        ingress ? PolicyRule::ingressDeny : PolicyRule::egressDeny;
    List<Requirement> allowRequirements = requirements(rules, allow);
    List<Requirement> denyRequirements = requirements(rules, deny);
    String direction = ingress ? "ingress" : "egress";
    for (PolicyRule rule : rules) {
      builder.addSection(rule, allow.apply(rule), direction, false, allowRequirements);
      builder.addSection(rule, deny.apply(rule), direction + "Deny", true, denyRequirements);
    }
    return builder.filters;
  }

  /** {@code fromRequires} of any rule binds the peers of every rule. */
  static List<Requirement> requirements(
      List<PolicyRule> rules, Function<PolicyRule, List<TrafficRule>> section) {
    List<Requirement> requirements = new ArrayList<>();
    for (PolicyRule rule : rules) {
      for (TrafficRule entry : section.apply(rule)) {
        entry.peers().requires().forEach(selector -> requirements.addAll(selector.requirements()));
      }
    }
    return requirements;
  }

  private void addSection(
      PolicyRule rule,
      List<TrafficRule> section,
      String name,
      boolean deny,
      List<Requirement> requirements) {
    for (int i = 0; i < section.size(); i++) {
      int entry = section.get(i).entry() == TrafficRule.ITS_OWN ? i : section.get(i).entry();
      RuleOrigin origin =
          new RuleOrigin(
              rule.policy(), rule.spec() + "." + name + "[" + entry + "]", rule.labels());
      addRule(section.get(i), deny, requirements, origin);
    }
  }

  private void addRule(
      TrafficRule rule, boolean deny, List<Requirement> requirements, RuleOrigin origin) {
    List<EndpointSelector> peers = rule.peers().selectors(requirements, options.clusterName());
    if (rule.toPorts().isEmpty() && rule.icmps().isEmpty()) {
      // Neither peers nor ports: the rule closes the direction and opens nothing.
      if (!peers.isEmpty()) {
        add(PortProtocol.NONE, PortProtocol.ANY, PortRule.of(), rule, peers, deny, origin);
      }
      return;
    }
    List<EndpointSelector> all = peers.isEmpty() ? List.of(EndpointSelector.WILDCARD) : peers;
    for (PortRule ports : rule.toPorts()) {
      for (PortProtocol port : ports.ports()) {
        if (port.protocol().equals(PortProtocol.ANY)) {
          add(port, PortProtocol.TCP, ports, rule, all, deny, origin);
          add(port, PortProtocol.UDP, ports, rule, all, deny, origin);
        } else {
          add(port, port.protocol(), ports, rule, all, deny, origin);
        }
      }
    }
    for (List<IcmpField> fields : rule.icmps()) {
      for (IcmpField field : fields) {
        PortProtocol type = field.portProtocol();
        add(type, type.protocol(), PortRule.of(), rule, all, deny, origin);
      }
    }
  }

  private void add(
      PortProtocol port,
      String protocol,
      PortRule ports,
      TrafficRule rule,
      List<EndpointSelector> peers,
      boolean deny,
      RuleOrigin origin) {
    PortProtocol key = new PortProtocol(port.port(), protocol);
    String parser = deny ? "" : parser(ports.rules(), protocol);
    L4Filter filter = new L4Filter(key, ingress, parser);
    PeerPolicy policy = policy(ports, protocol, deny, origin);
    if (peers.stream().anyMatch(EndpointSelector::isWildcard)) {
      filter.add(cache.cached(EndpointSelector.WILDCARD), policy);
    } else {
      peers.forEach(peer -> filter.add(cache.cached(peer), policy));
      rule.peers().fqdns().forEach(name -> filter.add(cache.cached(name), policy));
    }
    if (ingress && policy.isRedirect()) {
      letUnrestrictedPass(filter, origin);
    }
    L4Filter old = filters.putIfAbsent(key.toString(), filter);
    if (old != null) {
      old.merge(filter);
    }
  }

  private static String parser(L7Rules rules, String protocol) {
    if (rules.dns() != null && !rules.dns().isEmpty()) {
      return "dns";
    }
    if (!protocol.equals(PortProtocol.TCP)) {
      return "";
    }
    if (rules.http() != null && !rules.http().isEmpty()) {
      return "http";
    }
    return rules.kafka() != null && !rules.kafka().isEmpty() ? "kafka" : rules.protocol();
  }

  /** L7 rules count on TCP; those for DNS also on UDP. */
  private static PeerPolicy policy(
      PortRule ports, String protocol, boolean deny, RuleOrigin origin) {
    boolean dns = ports.rules().dns() != null && !ports.rules().dns().isEmpty();
    boolean checked = !deny && (protocol.equals(PortProtocol.TCP) || dns);
    return new PeerPolicy(
        deny,
        checked ? ports.rules() : L7Rules.NONE,
        checked && ports.terminatesTls(),
        checked && ports.originatesTls(),
        new TreeSet<>(List.of(origin)));
  }

  /** Where the rule selects the node itself, the proxy lets the node pass whatever it asks. */
  private void letUnrestrictedPass(L4Filter filter, RuleOrigin origin) {
    boolean selectsHost =
        filter.peers().keySet().stream().anyMatch(s -> s.selects(ReservedIdentity.HOST.id()));
    if (selectsHost) {
      for (Entity entity : options.unrestricted()) {
        filter.addIfAbsent(
            cache.cached(entity.reserved()),
            new PeerPolicy(false, L7Rules.NONE, false, false, new TreeSet<>(List.of(origin))));
      }
    }
  }
}
