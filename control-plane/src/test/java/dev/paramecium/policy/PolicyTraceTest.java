package dev.paramecium.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.paramecium.policy.PolicyOptions.Enforcement;
import dev.paramecium.policy.rule.CiliumPolicy;
import dev.paramecium.policy.rule.LabelSet;
import dev.paramecium.policy.rule.PolicyName;
import dev.paramecium.policy.rule.PolicyRule;
import dev.paramecium.policy.rule.PortProtocol;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.Yaml;

/** What {@code cilium policy trace} says of labels. */
class PolicyTraceTest {

  private static List<PolicyRule> rules(String yaml) {
    JsonNode list = new ObjectMapper().valueToTree(new Yaml().load(yaml));
    return CiliumPolicy.imported(list, new PolicyName("", "", "test", ""));
  }

  private static PolicyTrace.Result trace(
      String rules, String from, String to, String port, String protocol) {
    return PolicyTrace.of(
        rules(rules),
        PolicyOptions.DEFAULT,
        LabelSet.parse(List.of(from)),
        LabelSet.parse(List.of(to)),
        List.of(new PortProtocol(port, protocol)),
        true);
  }

  private static final String WEB_TO_DB =
      """
      - endpointSelector: {matchLabels: {"k8s:app": db}}
        ingress:
        - fromEndpoints: [{matchLabels: {"k8s:app": web}}]
          toPorts: [{ports: [{port: "5432", protocol: TCP}]}]
        ingressDeny:
        - fromEndpoints: [{matchLabels: {"k8s:app": bad}}]
      - endpointSelector: {matchLabels: {"k8s:app": web}}
        egress:
        - toEndpoints: [{matchLabels: {"k8s:app": db}}]
      """;

  @ParameterizedTest
  @CsvSource({
    "web, db, 5432, TCP, true",
    "web, db, 5432, ANY, false", // the rule's protocol does not cover any
    "web, db, 80, TCP, false",
    "web, other, 80, TCP, false", // web may leave to db only
    "other, db, 5432, TCP, false",
    "bad, db, 5432, TCP, false",
    "other, third, 1, UDP, true", // nothing is said of either
  })
  void thePairsVerdict(String from, String to, String port, String protocol, boolean allowed) {
    assertThat(trace(WEB_TO_DB, "k8s:app=" + from, "k8s:app=" + to, port, protocol))
        .satisfies(result -> assertThat(result.allowed()).as(result.log()).isEqualTo(allowed));
  }

  @Test
  void bothDirectionsAreToldInSteps() {
    assertThat(trace(WEB_TO_DB, "k8s:app=web", "k8s:app=db", "80", "TCP").log())
        .isEqualTo(
            """
            Tracing From: [k8s:app=web] => To: [k8s:app=db] Ports: [80/TCP]

            Resolving egress policy for [k8s:app=web]
              Rule {"matchLabels":{"k8s:app":"db"}}: did not select [k8s:app=web]
            * Rule {"matchLabels":{"k8s:app":"web"}}: selected
                Allows to labels {"matchLabels":{"k8s:app":"db"}}
                  Found all required labels
            1/2 rules selected
            Found allow rule
            Found no deny rule
            Egress verdict: allowed

            Tracing From: [k8s:app=web] => To: [k8s:app=db] Ports: [80/TCP]

            Resolving ingress policy for [k8s:app=db]
              Rule {"matchLabels":{"k8s:app":"web"}}: did not select [k8s:app=db]
            * Rule {"matchLabels":{"k8s:app":"db"}}: selected
                Allows from labels {"matchLabels":{"k8s:app":"web"}}
                  Found all required labels
                  Allows port [{80 TCP}]
                    No port match found
                Denies from labels {"matchLabels":{"k8s:app":"bad"}}
                  No label match for [k8s:app=web]
            1/2 rules selected
            Found no allow rule
            Found no deny rule
            Ingress verdict: denied
            """
                .replace("[{80 TCP}]", "[{5432 TCP}]"));
  }

  @Test
  void requirementsOfOneRuleBindThePeersOfAll() {
    String rules =
        """
        - endpointSelector: {matchLabels: {"k8s:app": db}}
          ingress: [{fromRequires: [{matchLabels: {"k8s:env": prod}}]}]
        - endpointSelector: {matchLabels: {"k8s:app": db}}
          ingress: [{fromEndpoints: [{matchLabels: {"k8s:app": web}}]}]
        """;
    PolicyTrace.Result result = trace(rules, "k8s:app=web", "k8s:app=db", "80", "TCP");
    assertThat(result.allowed()).isFalse();
    assertThat(result.log())
        .contains("    Enforcing requirements [{Key:k8s.env Operator:In Values:[prod]}]\n");
  }

  @Test
  void withoutARuleForEitherNothingIsEnforced() {
    PolicyTrace.Result result = trace("[]", "k8s:app=a", "k8s:app=b", "80", "TCP");
    assertThat(result.allowed()).isTrue();
    assertThat(result.log())
        .startsWith(
            "From: [k8s:app=a] => To: [k8s:app=b] Ports: [80/TCP]\n"
                + "  Policy enforcement is disabled because no rules")
        .endsWith("Label verdict: allowed\n");
  }

  @ParameterizedTest
  @CsvSource({"ALWAYS, false", "NEVER, true"})
  void theEnforcementModeCounts(Enforcement mode, boolean allowed) {
    PolicyTrace.Result result =
        PolicyTrace.of(
            List.of(),
            new PolicyOptions(mode, true, false, "default"),
            LabelSet.parse(List.of("k8s:app=a")),
            LabelSet.parse(List.of("k8s:app=b")),
            List.of(new PortProtocol("80", "TCP")),
            false);
    assertThat(result.allowed()).isEqualTo(allowed);
  }

  @Test
  void rulesThatCannotStandTogetherLetNothingPass() {
    String rules =
        """
        - endpointSelector: {matchLabels: {"k8s:app": db}}
          ingress:
          - toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: /}]}}]
          - toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {kafka: [{topic: t}]}}]
        """;
    PolicyTrace.Result result = trace(rules, "k8s:app=web", "k8s:app=db", "80", "TCP");
    assertThat(result.allowed()).isFalse();
    assertThat(result.log())
        .contains("          {Path:/ Method: Host: Headers:[] HeaderMatches:[]}\n");
  }
}
