package dev.paramecium.policy.rule;

import java.util.List;

/**
 * One entry of {@code toPorts}.
 *
 * @param serverNames SNI names
 * @param listener the Envoy listener's name, empty for none
 */
public record PortRule(
    List<PortProtocol> ports,
    L7Rules rules,
    boolean terminatesTls,
    boolean originatesTls,
    List<String> serverNames,
    String listener) {

  public PortRule {
    ports = List.copyOf(ports);
    serverNames = List.copyOf(serverNames);
  }

  public static PortRule of(PortProtocol... ports) {
    return new PortRule(List.of(ports), L7Rules.NONE, false, false, List.of(), "");
  }

  PortRule withPorts(List<PortProtocol> sanitized) {
    return new PortRule(sanitized, rules, terminatesTls, originatesTls, serverNames, listener);
  }
}
