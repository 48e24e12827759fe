package dev.paramecium.policy.rule;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The agent's own judgement of a rule, and the small corrections that it makes (Cilium {@code
 * pkg/policy/api/rule_validation.go}): protocols in capitals, port names in small letters. Deny
 * sections are not judged; v1.12.3 does not.
 */
public final class RuleValidation {

  private static final int MAX_PORTS = 40;
  private static final int MAX_ICMP_FIELDS = 40;
  private static final int MAX_CIDR_PREFIX_LENGTHS = 40;
  private static final int MAX_LABEL_VALUE = 63;
  private static final Pattern LABEL_VALUE =
      Pattern.compile("(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?");
  private static final Set<String> MISMATCH_ACTIONS = Set.of("", "LOG", "ADD", "DELETE", "REPLACE");

  private RuleValidation() {}

  /**
   * The rule as the agent keeps it.
   *
   * @throws InvalidRuleException if the agent refuses it
   */
  public static PolicyRule sanitize(PolicyRule rule) {
    if (rule.endpointSelector() == null && rule.nodeSelector() == null) {
      throw new InvalidRuleException("rule must have one of EndpointSelector or NodeSelector");
    }
    if (rule.endpointSelector() != null && rule.nodeSelector() != null) {
      throw new InvalidRuleException("rule cannot have both EndpointSelector and NodeSelector");
    }
    if (rule.endpointSelector() != null) {
      validate(rule.endpointSelector());
    }
    if (rule.nodeSelector() != null) {
      validate(rule.nodeSelector());
    }
    boolean host = rule.nodeSelector() != null;
    return new PolicyRule(
        rule.policy(),
        rule.spec(),
        rule.endpointSelector(),
        rule.nodeSelector(),
        rule.ingress().stream().map(entry -> sanitize(entry, true, host)).toList(),
        rule.ingressDeny(),
        rule.egress().stream().map(entry -> sanitize(entry, false, host)).toList(),
        rule.egressDeny(),
        rule.labels(),
        rule.description());
  }

  private static TrafficRule sanitize(TrafficRule rule, boolean ingress, boolean host) {
    validateCombination(rule, ingress);
    validateL7Direction(rule, ingress);
    if (!rule.icmps().isEmpty() && !rule.toPorts().isEmpty()) {
      throw new InvalidRuleException(
          "The ICMPs block may only be present without ToPorts. Define a separate rule to use"
              + " ToPorts.");
    }
    rule.peers().endpoints().forEach(RuleValidation::validate);
    rule.peers().requires().forEach(RuleValidation::validate);
    List<PortRule> ports = new ArrayList<>();
    for (PortRule port : rule.toPorts()) {
      ports.add(sanitize(port, ingress));
    }
    rule.icmps().forEach(RuleValidation::validateIcmp);
    validateBlocks(rule.peers(), ingress);
    for (String entity : rule.peers().entities()) {
      if (Entity.of(entity) == null) {
        throw new InvalidRuleException("unsupported entity: " + entity);
      }
    }
    rule.peers().fqdns().forEach(RuleValidation::validateName);
    if (host && ports.stream().anyMatch(RuleValidation::hasCountedL7Rules)) {
      throw new InvalidRuleException("host policies do not support L7 rules yet");
    }
    return new TrafficRule(rule.peers(), ports, rule.icmps(), rule.entry());
  }

  // ---- what may stand together

  private static void validateCombination(TrafficRule rule, boolean ingress) {
    String direction = ingress ? "From" : "To";
    Peers peers = rule.peers();
    Map<String, Integer> members = new LinkedHashMap<>();
    members.put(direction + "Endpoints", peers.endpoints().size());
    members.put(direction + "CIDR", peers.cidrs().size());
    members.put(direction + "CIDRSet", peers.cidrSets().size());
    members.put(direction + "Entities", peers.entities().size());
    members.put("ToServices", peers.services().size());
    members.put("ToFQDNs", peers.fqdns().size());
    members.put("ToGroups", peers.groups());
    List<String> present =
        members.entrySet().stream()
            .filter(member -> member.getValue() > 0)
            .map(Map.Entry::getKey)
            .toList();
    if (present.size() > 1) {
      throw new InvalidRuleException(
          "Combining " + present.get(0) + " and " + present.get(1) + " is not supported yet");
    }
    if (present.contains("ToServices") && !rule.toPorts().isEmpty()) {
      throw new InvalidRuleException("Combining ToServices and ToPorts is not supported yet");
    }
  }

  private static void validateL7Direction(TrafficRule rule, boolean ingress) {
    if (ingress && rule.toPorts().stream().anyMatch(p -> L7Rules.hasSome(p.rules().dns()))) {
      throw new InvalidRuleException("L7 protocol DNS is not supported on ingress yet");
    }
  }

  private static boolean hasCountedL7Rules(PortRule port) {
    return !port.rules().isEmpty();
  }

  // ---- ports

  private static PortRule sanitize(PortRule rule, boolean ingress) {
    boolean dns = L7Rules.hasSome(rule.rules().dns());
    if (!rule.serverNames().isEmpty() && !rule.rules().isEmpty() && !rule.terminatesTls()) {
      throw new InvalidRuleException(
          "ServerNames are not allowed with L7 rules without TLS termination");
    }
    if (rule.serverNames().contains("")) {
      throw new InvalidRuleException("Empty server name is not allowed");
    }
    if (rule.ports().size() > MAX_PORTS) {
      throw new InvalidRuleException("too many ports, the max is " + MAX_PORTS);
    }
    boolean zero = false;
    List<PortProtocol> ports = new ArrayList<>();
    for (PortProtocol written : rule.ports()) {
      PortProtocol port = sanitize(written);
      zero |= !port.isNamed() && number(port.port()) == 0;
      if (!rule.rules().isEmpty() && !dns && !port.protocol().equals(PortProtocol.TCP)) {
        throw new InvalidRuleException(
            "L7 rules can only apply to TCP (not " + port.protocol() + ") except for DNS rules");
      }
      ports.add(port);
    }
    if (!rule.listener().isEmpty() && ingress) {
      throw new InvalidRuleException(
          "Listener is not allowed on ingress (" + rule.listener() + ")");
    }
    if (!rule.listener().isEmpty() && !rule.rules().isEmpty()) {
      throw new InvalidRuleException(
          "Listener is not allowed with L7 rules (" + rule.listener() + ")");
    }
    if (!rule.rules().isEmpty()) {
      if (zero) {
        throw new InvalidRuleException("L7 rules can not be used when a port is 0");
      }
      validate(rule.rules(), ports);
    }
    return rule.withPorts(ports);
  }

  private static PortProtocol sanitize(PortProtocol written) {
    if (written.port().isEmpty()) {
      throw new InvalidRuleException("Port must be specified");
    }
    String port = written.port();
    if (written.isNamed()) {
      port = port.toLowerCase(Locale.ROOT);
    } else {
      number(port);
    }
    String protocol =
        written.protocol().isEmpty()
            ? PortProtocol.ANY
            : written.protocol().toUpperCase(Locale.ROOT);
    return switch (protocol) {
      case PortProtocol.TCP, PortProtocol.UDP, PortProtocol.ANY -> new PortProtocol(port, protocol);
      default ->
          throw new InvalidRuleException(
              "invalid protocol \"" + protocol + "\", must be { tcp | udp | any }");
    };
  }

  /** A port number as Go's ParseUint reads it with base 0: also octal and hexadecimal. */
  private static int number(String port) {
    try {
      int number = Integer.decode(port.replaceFirst("^0[oO]", "0"));
      if (number >= 0 && number <= 0xffff && Character.isDigit(port.charAt(0))) {
        return number;
      }
      throw new InvalidRuleException(
          "Unable to parse port: strconv.ParseUint: parsing \""
              + port
              + "\": "
              + (number > 0xffff ? "value out of range" : "invalid syntax"));
    } catch (NumberFormatException e) {
      throw new InvalidRuleException(
          "Unable to parse port: strconv.ParseUint: parsing \""
              + port
              + "\": "
              + (port.matches("[1-9][0-9]*") ? "value out of range" : "invalid syntax"));
    }
  }

  private static void validateIcmp(List<IcmpField> fields) {
    if (fields.size() > MAX_ICMP_FIELDS) {
      throw new InvalidRuleException("too many types, the max is " + MAX_ICMP_FIELDS);
    }
    for (IcmpField field : fields) {
      if (!Set.of("", "IPv4", "IPv6").contains(field.family())) {
        throw new InvalidRuleException("wrong family: " + field.family());
      }
    }
  }

  // ---- L7

  private static void validate(L7Rules rules, List<PortProtocol> ports) {
    int types = 0;
    if (rules.http() != null) {
      types++;
      rules.http().forEach(RuleValidation::validate);
    }
    if (rules.kafka() != null) {
      types++;
      rules.kafka().forEach(RuleValidation::validate);
    }
    if (rules.dns() != null) {
      if (ports.isEmpty()) {
        throw new InvalidRuleException("Port 53 must be specified for DNS rules");
      }
      types++;
      rules.dns().forEach(FqdnSelector::validateCharacters);
    }
    if (rules.keyValues() != null && rules.protocol().isEmpty()) {
      throw new InvalidRuleException(
          "'l7' may only be specified when a 'l7proto' is also specified");
    }
    if (!rules.protocol().isEmpty()) {
      types++;
      if (rules.keyValues() != null
          && rules.keyValues().stream().anyMatch(m -> m.containsKey(""))) {
        throw new InvalidRuleException("Empty key not allowed");
      }
    }
    if (types > 1) {
      throw new InvalidRuleException("multiple L7 protocol rule types specified in single rule");
    }
  }

  private static void validate(HttpRule rule) {
    compile(rule.path());
    compile(rule.method());
    for (HttpRule.HeaderMatch match : rule.headerMatches()) {
      if (match.name().isEmpty()) {
        throw new InvalidRuleException("header name missing");
      }
      if (!MISMATCH_ACTIONS.contains(match.mismatch())) {
        throw new InvalidRuleException("invalid header action: " + match.mismatch());
      }
    }
  }

  private static void validate(KafkaRule rule) {
    if (!rule.apiKey().isEmpty() && !rule.role().isEmpty()) {
      throw new InvalidRuleException(
          "Cannot set both Role:\""
              + rule.role()
              + "\" and APIKey :\""
              + rule.apiKey()
              + "\" in a single Rule");
    }
    if (!rule.apiKey().isEmpty() && !KafkaApiKeys.contains(rule.apiKey())) {
      throw new InvalidRuleException("invalid Kafka APIKey :\"" + rule.apiKey() + "\"");
    }
    if (!rule.role().isEmpty()
        && !Set.of("produce", "consume").contains(rule.role().toLowerCase(Locale.ROOT))) {
      throw new InvalidRuleException("Invalid Kafka APIRole :\"" + rule.role() + "\"");
    }
    if (!rule.apiVersion().isEmpty() && !rule.apiVersion().matches("-?[0-9]{1,5}")) {
      throw new InvalidRuleException("invalid Kafka APIVersion :\"" + rule.apiVersion() + "\"");
    }
    if (rule.topic().length() > 255) {
      throw new InvalidRuleException("kafka topic exceeds maximum len of 255");
    }
    if (!rule.topic().isEmpty() && !rule.topic().matches("[a-zA-Z0-9._-]+")) {
      throw new InvalidRuleException("invalid Kafka Topic name \"" + rule.topic() + "\"");
    }
  }

  private static void compile(String regex) {
    if (regex.isEmpty()) {
      return;
    }
    try {
      com.google.re2j.Pattern.compile(regex); // as the proxy will
    } catch (com.google.re2j.PatternSyntaxException e) {
      throw new InvalidRuleException(
          "error parsing regexp: " + e.getDescription() + ": `" + regex + "`");
    }
  }

  // ---- peers

  private static void validateName(FqdnSelector name) {
    if (!name.matchName().isEmpty() && !name.matchPattern().isEmpty()) {
      throw new InvalidRuleException(
          "only one of MatchName or MatchPattern is allowed in an FQDNSelector");
    }
    name.validateCharacters();
  }

  private static void validateBlocks(Peers peers, boolean ingress) {
    Set<Integer> lengths = new TreeSet<>();
    for (String text : peers.cidrs()) {
      if (text.isEmpty()) {
        throw new InvalidRuleException("IP must be specified");
      }
      Cidr block = Cidr.parseBlockOrAddress(text);
      if (block == null) {
        throw new InvalidRuleException("Unable to parse CIDR: invalid CIDR address: " + text);
      }
      lengths.add(Cidr.parse(text) == null ? 0 : block.length());
    }
    for (CidrRule rule : peers.cidrSets()) {
      lengths.add(validate(rule).length());
    }
    if (lengths.size() > MAX_CIDR_PREFIX_LENGTHS) {
      throw new InvalidRuleException(
          "too many "
              + (ingress ? "ingress" : "egress")
              + " CIDR prefix lengths "
              + lengths.size()
              + "/"
              + MAX_CIDR_PREFIX_LENGTHS);
    }
  }

  private static Cidr validate(CidrRule rule) {
    Cidr block = Cidr.parse(rule.cidr());
    if (block == null) {
      throw new InvalidRuleException(
          "Unable to parse CIDRRule \"" + rule.cidr() + "\": invalid CIDR address: " + rule.cidr());
    }
    for (String text : rule.except()) {
      Cidr hole = Cidr.parse(text);
      if (hole == null) {
        throw new InvalidRuleException("invalid CIDR address: " + text);
      }
      if (!block.contains(new Cidr(hole.bits(), hole.address(), hole.bits()))) {
        throw new InvalidRuleException(
            "allow CIDR prefix " + rule.cidr() + " does not contain exclude CIDR prefix " + text);
      }
    }
    return block;
  }

  private static void validate(EndpointSelector selector) {
    for (Requirement requirement : selector.matchExpressions()) {
      switch (requirement.operator()) {
        case IN, NOT_IN -> {
          if (requirement.values().isEmpty()) {
            throw new InvalidRuleException(
                "invalid label selector: values: Required value: must be specified when `operator`"
                    + " is 'In' or 'NotIn'");
          }
        }
        case EXISTS, DOES_NOT_EXIST -> {
          if (!requirement.values().isEmpty()) {
            throw new InvalidRuleException(
                "invalid label selector: values: Forbidden: may not be specified when `operator` is"
                    + " 'Exists' or 'DoesNotExist'");
          }
        }
      }
    }
    selector.matchLabels().values().forEach(RuleValidation::validateLabelValue);
  }

  private static void validateLabelValue(String value) {
    if (value.length() > MAX_LABEL_VALUE || !LABEL_VALUE.matcher(value).matches()) {
      throw new InvalidRuleException(
          "invalid label selector: matchLabels: Invalid value: \""
              + value
              + "\": a valid label must be an empty string or at most "
              + MAX_LABEL_VALUE
              + " alphanumeric characters, '-', '_' or '.', and must start and end with an"
              + " alphanumeric character");
    }
  }
}
