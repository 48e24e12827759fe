package dev.paramecium.policy.rule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.KubeObject;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.Yaml;

/** What the agent refuses, in its words. */
class RuleValidationTest {

  @ParameterizedTest
  @CsvSource(
      delimiterString = " => ",
      textBlock =
          """
          ingress: [{fromEndpoints: [{}], fromCIDR: [10.0.0.0/8]}] => Combining FromEndpoints and FromCIDR is not supported yet
          egress: [{toCIDR: [10.0.0.0/8], toEntities: [world]}] => Combining ToCIDR and ToEntities is not supported yet
          egress: [{toServices: [{k8sService: {serviceName: a}}], toPorts: [{ports: [{port: '80'}]}]}] => Combining ToServices and ToPorts is not supported yet
          ingress: [{fromEntities: [mars]}] => unsupported entity: mars
          ingress: [{fromCIDR: [10.0.0.0/33]}] => Unable to parse CIDR: invalid CIDR address: 10.0.0.0/33
          ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}]}] => allow CIDR prefix 10.0.0.0/8 does not contain exclude CIDR prefix 11.0.0.0/16
          ingress: [{toPorts: [{ports: [{port: ''}]}]}] => Port must be specified
          ingress: [{toPorts: [{ports: [{port: '65536'}]}]}] => Unable to parse port: strconv.ParseUint: parsing "65536": value out of range
          ingress: [{toPorts: [{ports: [{port: '2379-2380'}]}]}] => Unable to parse port: strconv.ParseUint: parsing "2379-2380": invalid syntax
          ingress: [{toPorts: [{ports: [{port: '80', protocol: SCTP}]}]}] => invalid protocol "SCTP", must be { tcp | udp | any }
          ingress: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{}]}}]}] => L7 rules can only apply to TCP (not ANY) except for DNS rules
          ingress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}]}] => L7 protocol DNS is not supported on ingress yet
          egress: [{toPorts: [{ports: [{port: '0', protocol: TCP}], rules: {http: [{}]}}]}] => L7 rules can not be used when a port is 0
          egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}], kafka: [{topic: a}]}}]}] => multiple L7 protocol rule types specified in single rule
          egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {l7: [{a: b}], l7proto: x, http: [{}]}}]}] => multiple L7 protocol rule types specified in single rule
          egress: [{toFQDNs: [{matchName: 'a b'}]}] => Invalid characters in MatchName: "a b". Only 0-9, a-z, A-Z and . and - characters are allowed
          egress: [{toFQDNs: [{matchName: a, matchPattern: b}]}] => only one of MatchName or MatchPattern is allowed in an FQDNSelector
          ingress: [{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: '80'}]}]}] => The ICMPs block may only be present without ToPorts. Define a separate rule to use ToPorts.
          ingress: [{icmps: [{fields: [{type: 8, family: IPv5}]}]}] => wrong family: IPv5
          ingress: [{fromEndpoints: [{matchExpressions: [{key: a, operator: In}]}]}] => invalid label selector: values: Required value: must be specified when `operator` is 'In' or 'NotIn'
          """)
  void refuses(String section, String message) {
    assertThatThrownBy(() -> CiliumPolicy.rules(policy(section)))
        .isInstanceOf(InvalidRuleException.class)
        .hasMessage("Invalid CiliumNetworkPolicy spec: " + message);
  }

  @Test
  void denySectionsAreNotJudged() {
    assertThat(CiliumPolicy.rules(policy("ingressDeny: [{toPorts: [{ports: [{port: '80'}]}]}]")))
        .singleElement()
        .extracting(rule -> rule.ingressDeny().getFirst().toPorts().getFirst().ports())
        .isEqualTo(List.of(new PortProtocol("80", "")));
  }

  @Test
  void aPolicyWithoutSpecIsEmpty() {
    KubeObject empty =
        object("{kind: CiliumNetworkPolicy, metadata: {name: p, namespace: default}}");
    assertThatThrownBy(() -> CiliumPolicy.rules(empty))
        .hasMessage("Invalid CiliumNetworkPolicy spec(s): empty policy");
  }

  @Test
  void aNamespacedPolicyIsNotAboutNodes() {
    KubeObject nodes =
        object(
            "{kind: CiliumNetworkPolicy, metadata: {name: p, namespace: default},"
                + " spec: {nodeSelector: {}}}");
    assertThatThrownBy(() -> CiliumPolicy.rules(nodes))
        .hasMessage("Invalid CiliumNetworkPolicy spec: rule cannot have NodeSelector");
  }

  @Test
  void aWrongTypeIsNamedWithItsPath() {
    assertThatThrownBy(
            () -> CiliumPolicy.rules(policy("ingress: [{toPorts: [{ports: [{port: 80}]}]}]")))
        .hasMessage(
            "Invalid CiliumNetworkPolicy spec: spec.ingress[0].toPorts[0].ports[0].port: Invalid"
                + " value: 80: must be a string");
  }

  @Test
  void aPolicyWithAnSctpPortIsRefusedWhole() {
    KubeObject sctp =
        object(
            "{kind: NetworkPolicy, metadata: {name: p, namespace: default},"
                + " spec: {podSelector: {}, ingress: [{ports: [{port: 80, protocol: SCTP}]}]}}");
    assertThatThrownBy(() -> KubernetesPolicy.rule(sctp))
        .hasMessage("invalid protocol \"SCTP\", must be { tcp | udp | any }");
  }

  @Test
  void peersOfANamespacedPolicyAreOfItsNamespaceUnlessTheySayOtherwise() {
    PolicyRule rule =
        CiliumPolicy.rules(
                policy(
                    "ingress: [{fromEndpoints: [{}, {matchLabels:"
                        + " {'k8s:io.kubernetes.pod.namespace': x}}, {matchLabels:"
                        + " {'reserved:host': ''}}]}]"))
            .getFirst();
    assertThat(rule.ingress().getFirst().peers().endpoints())
        .extracting(EndpointSelector::matchLabels)
        .containsExactly(
            new java.util.TreeMap<>(java.util.Map.of("k8s.io.kubernetes.pod.namespace", "default")),
            new java.util.TreeMap<>(java.util.Map.of("k8s.io.kubernetes.pod.namespace", "x")),
            new java.util.TreeMap<>(java.util.Map.of("reserved.host", "")));
    assertThat(rule.endpointSelector().matchLabels())
        .containsEntry("k8s.io.kubernetes.pod.namespace", "default");
  }

  @Test
  void importedRulesMayWriteFieldNamesInAnyCase() {
    PolicyRule rule =
        CiliumPolicy.imported(
                new ObjectMapper()
                    .valueToTree(
                        new Yaml()
                            .load(
                                """
                                - EndpointSelector: {MatchLabels: {Role: a, HTTP: b}}
                                  Ingress:
                                  - ToPorts: [{ports: [{port: "80", protocol: TCP}], rules: {HTTP: [{Path: /a}]}}]
                                """)),
                new PolicyName("", "", "import-1", ""))
            .getFirst();
    assertThat(rule.endpointSelector().matchLabels()).containsOnlyKeys("any.Role", "any.HTTP");
    assertThat(rule.ingress().getFirst().toPorts().getFirst().rules().http())
        .extracting(HttpRule::path)
        .containsExactly("/a");
  }

  private static KubeObject policy(String section) {
    return object(
        "kind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: default}\nspec:\n"
            + "  endpointSelector: {}\n  "
            + section);
  }

  private static KubeObject object(String yaml) {
    return new KubeObject((ObjectNode) new ObjectMapper().valueToTree(new Yaml().load(yaml)));
  }
}
