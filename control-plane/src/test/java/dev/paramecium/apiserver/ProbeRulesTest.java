package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.api.ApiReply;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Probes and hooks that a manifest may not have, in the API server's words. */
class ProbeRulesTest {

  private static List<String> violations(String list, String container) {
    try {
      String json =
          "{'containers':[{'name':'main','image':'nginx'}],'"
              + list
              + "':[{'name':'c','image':'nginx',"
              + container
              + "}]}";
      JsonNode spec = new ObjectMapper().readTree(json.replace('\'', '"'));
      PodTemplates.setDefaults((ObjectNode) spec);
      Violations violations = new Violations();
      PodTemplates.validate("spec", spec, violations);
      return violations.causes().stream().map(ProbeRulesTest::text).toList();
    } catch (IOException e) {
      throw new AssertionError(container, e);
    }
  }

  private static String text(ApiReply.Cause cause) {
    return cause.field().replace("spec.containers[0].", "") + ": " + cause.message();
  }

  private static List<String> violations(String container) {
    return violations("containers", container);
  }

  @Test
  void takesEveryKindOfHandler() {
    assertThat(
            violations(
                "'readinessProbe':{'httpGet':{'path':'/','port':'http'},'successThreshold':2},"
                    + "'livenessProbe':{'tcpSocket':{'port':80},'terminationGracePeriodSeconds':5},"
                    + "'startupProbe':{'grpc':{'port':9000}},"
                    + "'lifecycle':{'preStop':{'exec':{'command':['sleep','1']}}}"))
        .isEmpty();
  }

  @Test
  void namesWhatIsMissing() {
    assertThat(violations("'readinessProbe':{'periodSeconds':5}"))
        .containsExactly("readinessProbe: Required value: must specify a handler type");
    assertThat(violations("'livenessProbe':{'exec':{}}"))
        .containsExactly("livenessProbe.exec.command: Required value");
    assertThat(violations("'livenessProbe':{'httpGet':{'path':'/','port':0}}"))
        .containsExactly(
            "livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive");
  }

  @Test
  void allowsOneHandlerOnly() {
    assertThat(violations("'livenessProbe':{'httpGet':{'port':80},'tcpSocket':{'port':80}}"))
        .containsExactly(
            "livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type");
  }

  @Test
  void boundsNumbers() {
    assertThat(
            violations(
                "'livenessProbe':{'tcpSocket':{'port':80},'periodSeconds':-1,'successThreshold':2}"))
        .containsExactly(
            "livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
            "livenessProbe.successThreshold: Invalid value: 2: must be 1");
    assertThat(
            violations(
                "'readinessProbe':{'tcpSocket':{'port':80},'terminationGracePeriodSeconds':5}"))
        .containsExactly(
            "readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for"
                + " readinessProbes");
  }

  @Test
  void refusesProbesOfInitContainers() {
    assertThat(violations("initContainers", "'readinessProbe':{'tcpSocket':{'port':80}}"))
        .singleElement()
        .asString()
        .startsWith("spec.initContainers[0].readinessProbe: Invalid value: ")
        .endsWith(": must not be set for init containers");
  }
}
