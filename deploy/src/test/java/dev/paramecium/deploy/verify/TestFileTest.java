package dev.paramecium.deploy.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.Manifests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestFileTest {

  private static final String HEAD =
      "apiVersion: paramecium.dev/v1alpha1\nkind: ConnectivityTest\nmetadata: {name: t}\n";

  @TempDir private Path folder;

  private static ConnectivityTest parse(String body) {
    return TestFile.parse("t.yaml", Manifests.parse("t.yaml", HEAD + body).getFirst());
  }

  private static List<String> checks(String expect) {
    return parse("steps:\n- expect:\n" + expect.indent(2)).steps().getFirst().checks().stream()
        .map(check -> check.pair() + " " + Check.word(check.allowed()))
        .toList();
  }

  @Test
  void everySourceAsksEveryDestination() {
    assertThat(
            checks(
                "- {from: [x/a, y/a], to: [x/b, 10.96.0.10, service x/web], port: 80, result:"
                    + " allowed}"))
        .containsExactly(
            "x/a to x/b TCP 80 allowed",
            "x/a to 10.96.0.10 TCP 80 allowed",
            "x/a to service x/web TCP 80 allowed",
            "y/a to x/b TCP 80 allowed",
            "y/a to 10.96.0.10 TCP 80 allowed",
            "y/a to service x/web TCP 80 allowed");
  }

  @Test
  void aDefaultIsForThePairsThatAreNotNamedAndForNoPodAndItself() {
    assertThat(
            checks(
                """
                - {from: x/a, to: x/b, port: 80, result: denied}
                - {default: allowed, protocol: TCP, port: 80, among: [x/a, x/b]}
                - {default: denied, protocol: UDP, port: 80, among: [x/a, x/b]}
                """))
        .containsExactly(
            "x/a to x/b TCP 80 denied",
            "x/b to x/a TCP 80 allowed",
            "x/a to x/b UDP 80 denied",
            "x/b to x/a UDP 80 denied");
  }

  @Test
  void whatIsNamedCountsMoreThanADefaultAboveIt() {
    assertThat(
            checks(
                """
                - {default: allowed, port: 80, among: [x/a, x/b]}
                - {from: x/a, to: x/b, port: 80, result: denied}
                """))
        .containsExactly("x/a to x/b TCP 80 denied", "x/b to x/a TCP 80 allowed");
  }

  @Test
  void setupTakesObjectsInLineAndFromAFileBesideTheTest() throws IOException {
    Files.writeString(
        folder.resolve("pods.yaml"), "{apiVersion: v1, kind: Pod, metadata: {name: b}}");
    Path file =
        Files.writeString(
            folder.resolve("t.yaml"),
            HEAD
                + """
                setup:
                - {apiVersion: v1, kind: Pod, metadata: {name: a}}
                - {file: pods.yaml}
                steps: [{name: one}]
                cleanup: false
                """);

    ConnectivityTest test = TestFile.read(file.toString()).getFirst();

    assertThat(test.setup())
        .extracting(object -> object.at("/metadata/name").asText())
        .containsExactly("a", "b");
    assertThat(test.cleanup()).isFalse();
  }

  @Test
  void changesOfAStep() {
    ConnectivityTest.Step step =
        parse(
                """
                steps:
                - name: change
                  label: [{kind: Pod, namespace: x, name: a, labels: {pod: b, old: null}}]
                  delete: [{kind: NetworkPolicy, namespace: x, name: old}, {kind: Namespace, name: y}]
                """)
            .steps()
            .getFirst();

    assertThat(step.label().getFirst().target()).hasToString("Pod x/a");
    assertThat(step.label().getFirst().labels()).hasToString("{\"pod\":\"b\",\"old\":null}");
    assertThat(step.delete())
        .extracting(Object::toString)
        .containsExactly("NetworkPolicy x/old", "Namespace y");
  }

  @Test
  void mistakesAreNamedWithTheirPlaceAndTheirRemedy() {
    assertWrong("steps: []", "steps has nothing to ask");
    assertWrong("step: []\nsteps: [{}]", "step is not a field: use apiVersion, cleanup");
    assertWrong(
        "steps: [{expects: []}]",
        "steps[0].expects is not a field: use apply, delete, expect, label, name");
    assertWrong("steps: [{expect: {}}]", "steps[0].expect must be a list");
    assertWrong("cleanup: maybe\nsteps: [{}]", "cleanup is \"maybe\": use true or false");
    String at = "steps[0].expect[0]";
    assertExpectWrong("from: x/a, to: x/b, result: allowed", at + ".port is not set");
    assertExpectWrong(
        "from: x/a, to: x/b, port: 70000, result: allowed",
        at + ".port is 70000: use a number from 1 to 65535");
    assertExpectWrong(
        "from: x/a, to: x/b, port: 80, result: maybe",
        at + ".result is \"maybe\": use allowed or denied");
    assertExpectWrong(
        "from: x/a, to: x/b, port: 80, protocol: QUIC, result: allowed",
        at + ".protocol protocol \"QUIC\" is not known");
    assertExpectWrong(
        "from: x/a, to: 10.0.0.300, port: 80, result: allowed", at + ".to \"10.0.0.300\"");
    assertExpectWrong(
        "from: X/A, to: x/b, port: 80, result: allowed", at + ".from \"X/A\" is not a pod");
    assertExpectWrong("to: x/b, port: 80, result: allowed", at + ".from is not set");
    assertWrong("setup: [{kind: Pod}]\nsteps: [{}]", "setup[0].apiVersion is not set");
    assertWrong(
        "steps: [{label: [{kind: Service, name: a, labels: {}}]}]",
        "steps[0].label[0].kind is \"Service\": use Pod or Namespace");
  }

  @Test
  void twoAnswersForOnePairAreAMistake() {
    assertThatThrownBy(
            () ->
                checks(
                    """
                    - {from: x/a, to: x/b, port: 80, result: denied}
                    - {from: x/a, to: x/b, port: 80, result: allowed}
                    """))
        .isInstanceOf(UserError.class)
        .hasMessageContaining("expects x/a to x/b TCP 80 otherwise than an earlier line");
  }

  private static void assertExpectWrong(String item, String message) {
    assertWrong("steps: [{expect: [{" + item + "}]}]", message);
  }

  private static void assertWrong(String body, String message) {
    assertThatThrownBy(() -> parse(body))
        .isInstanceOfSatisfying(
            UserError.class, error -> assertThat(error.exitCode()).isEqualTo(UserError.USAGE))
        .hasMessageStartingWith("t.yaml: " + message);
  }
}
