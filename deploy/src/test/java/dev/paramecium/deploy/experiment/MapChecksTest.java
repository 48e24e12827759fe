package dev.paramecium.deploy.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.paramecium.deploy.client.ApiHttp;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.experiment.PolicyOracle.Peer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Policy and Service maps as cilium's tools print them, right ones and wrong ones. */
final class MapChecksTest {

  private static final List<PolicyMapCheck.Pod> PODS =
      List.of(
          new PolicyMapCheck.Pod(
              "default/server", "10.0.0.1", new Peer("default", Map.of("app", "s"), Map.of())),
          new PolicyMapCheck.Pod(
              "default/client", "10.0.0.2", new Peer("default", Map.of("app", "c"), Map.of())));
  private static final JsonNode CLIENTS_ONLY =
      one(
          """
          {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: clients},
           spec: {podSelector: {matchLabels: {app: s}},
                  ingress: [{from: [{podSelector: {matchLabels: {app: c}}}], ports: [{port: 80}]}]}}
          """);
  private static final String RIGHT =
      """
      /sys/fs/bpf/tc/globals/cilium_policy_00113:

      POLICY   DIRECTION   IDENTITY   PORT/PROTO   PROXY PORT   BYTES   PACKETS
      Allow    Ingress     1          ANY          NONE         0       0
      Allow    Ingress     300        80/TCP       NONE         0       0
      Allow    Egress      0          ANY          NONE         0       0
      """;

  private static JsonNode one(String yaml) {
    return Manifests.parse("the test", yaml).getFirst();
  }

  private static List<String> policy(String dump, List<JsonNode> policies) {
    return PolicyMapCheck.differences(
        "node-1",
        dump,
        Map.of("10.0.0.1", 113),
        Set.of(113),
        Map.of("10.0.0.1", "299", "10.0.0.2", "300"),
        PODS,
        policies,
        Set.of("80/TCP"));
  }

  @Test
  void aPolicyMapThatSaysWhatThePoliciesSayIsRight() {
    assertThat(policy(RIGHT, List.of(CLIENTS_ONLY))).isEmpty();
  }

  @Test
  void anEntryTooManyAndOneTooFewAreFound() {
    assertThat(policy(RIGHT.replace("80/TCP", "ANY   "), List.of(CLIENTS_ONLY)))
        .singleElement()
        .asString()
        .contains("Ingress 49151/TCP", "default/client", "allowed");
    assertThat(policy(RIGHT.replace("  300  ", "  301  "), List.of(CLIENTS_ONLY)))
        .singleElement()
        .asString()
        .contains("Ingress 80/TCP", "default/client", "denied");
    assertThat(policy(RIGHT, List.of())).hasSize(1);
  }

  @Test
  void aMapOfNoEndpointIsLeftOver() {
    String more = RIGHT + "/sys/fs/bpf/tc/globals/cilium_policy_00114:\n";
    assertThat(policy(more, List.of(CLIENTS_ONLY)))
        .containsExactly("node-1: cilium_policy_00114 is no endpoint's");
  }

  private static List<String> service(String listed) throws IOException {
    JsonNode web =
        one(
            """
            {apiVersion: v1, kind: Service, metadata: {name: web, namespace: default},
             spec: {clusterIP: 10.96.0.4, selector: {app: s}, ports: [{port: 80, targetPort: 8080}]}}
            """);
    JsonNode pod =
        one(
            """
            {apiVersion: v1, kind: Pod, metadata: {name: s, namespace: default, labels: {app: s}},
             status: {podIP: 10.0.0.1, conditions: [{type: Ready, status: "True"}]}}
            """);
    return ServiceMapCheck.differences(
        "node-1", ApiHttp.JSON.readTree(listed), List.of(web), List.of(pod));
  }

  @Test
  void aServiceLeadsToItsReadyPodsAndNoOther() throws IOException {
    String right =
        "{\"10.96.0.4:80\": [\"0.0.0.0:0 (5) (0) [ClusterIP]\", \"10.0.0.1:8080 (5) (1)\"]}";
    assertThat(service(right)).isEmpty();
    assertThat(service(right.replace("10.0.0.1", "10.0.0.9"))).hasSize(1);
    assertThat(service(right.replace("10.96.0.4", "10.96.0.5")))
        .anyMatch(line -> line.contains("no such Service"))
        .hasSize(2);
  }
}
