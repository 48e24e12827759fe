package dev.paramecium.deploy.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.client.Manifests;
import dev.paramecium.deploy.experiment.History.Ends;
import dev.paramecium.deploy.experiment.History.Policies;
import dev.paramecium.deploy.experiment.History.Request;
import dev.paramecium.deploy.experiment.History.Seen;
import dev.paramecium.deploy.experiment.History.Span;
import dev.paramecium.deploy.experiment.History.Written;
import dev.paramecium.deploy.experiment.PolicyOracle.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Histories in which something is wrong, and those in which nothing is. */
final class InvariantsTest {

  private static final Instant T = Instant.parse("2026-01-01T00:00:00Z");
  private static final String EXPERIMENT =
      """
      apiVersion: paramecium.dev/v1alpha1
      kind: ChaosExperiment
      metadata: {name: test}
      propagation: 2s
      workload: {flows: [{name: f, to: default/s, port: 80}]}
      """;
  private static final ObjectNode NOBODY =
      one(
          """
          {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: nobody},
           spec: {podSelector: {matchLabels: {app: s}}, policyTypes: [Ingress]}}
          """);

  @TempDir private Path folder;

  private final History history = new History();

  private static ObjectNode one(String yaml) {
    return Manifests.parse("the test", yaml).getFirst();
  }

  @BeforeEach
  void aClientAndAServer() {
    history.ends.put(
        "f",
        new Ends(
            new Peer("default", Map.of("app", "c"), Map.of()),
            new Peer("default", Map.of("app", "s"), Map.of()),
            80,
            "TCP"));
    history.policies.add(new Policies(Instant.EPOCH, Instant.EPOCH, List.of()));
    request(1, true);
  }

  private void request(int second, boolean delivered) {
    Instant end = T.plusSeconds(second);
    history.requests.add(
        new Request("f", "f", end.minusMillis(600), end, delivered, T.minusSeconds(60)));
  }

  private void deniedFrom(int second) {
    history.policies.add(
        new Policies(T.plusSeconds(second), T.plusSeconds(second).plusMillis(10), List.of(NOBODY)));
  }

  private ExperimentFile file(String text) {
    try {
      Path path = folder.resolve("experiment.yaml");
      Files.writeString(path, text);
      return ExperimentFile.read(path.toString(), 7, false);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private List<String> violated() {
    return Invariants.all(file(EXPERIMENT), history).stream()
        .filter(one -> !one.violations().isEmpty())
        .map(Verdict.Case::name)
        .toList();
  }

  @Test
  void whatIsAllowedAndDeliveredIsRight() {
    assertThat(violated()).isEmpty();
  }

  @Test
  void eitherIsRightWhileAPolicyIsOnItsWay() {
    deniedFrom(10);
    request(11, true);
    request(11, false);
    request(20, false);
    assertThat(violated()).isEmpty();
  }

  @Test
  void aDeliveryLongAfterADenialIsWrong() {
    deniedFrom(10);
    request(20, true);
    assertThat(violated()).containsExactly("no packet delivered that no policy allowed");
  }

  @Test
  void aDenialWithoutAPolicyIsWrongUnlessAFaultExcusesIt() {
    request(20, false);
    assertThat(violated()).containsExactly("no packet denied that should pass");
    history.stalls.add(new Span("stall", T.plusSeconds(18), T.plusSeconds(19), Set.of("denied")));
    assertThat(violated()).as("it was over before the request").hasSize(1);
    history.faults.add(new Span("loss", T.plusSeconds(15), T.plusSeconds(19), Set.of("denied")));
    assertThat(violated()).isEmpty();
  }

  private static Seen seen(String type, String yaml) {
    return new Seen(type, one("{apiVersion: v1, kind: X, " + yaml + "}"), T);
  }

  @Test
  void identitiesAreOneToOne() {
    history.identities.add(seen("ADDED", "metadata: {name: '300'}, security-labels: {a: b}"));
    assertThat(violated()).isEmpty();
    history.identities.add(seen("ADDED", "metadata: {name: '301'}, security-labels: {a: b}"));
    assertThat(violated()).hasSize(1);
    history.identities.removeLast();
    history.identities.add(seen("MODIFIED", "metadata: {name: '300'}, security-labels: {a: c}"));
    assertThat(violated()).hasSize(1);
  }

  @Test
  void anAddressIsOnePodsUntilThatIsGone() {
    history.pods.add(seen("ADDED", "metadata: {name: a, uid: u1}, status: {podIP: 10.0.0.1}"));
    history.pods.add(seen("DELETED", "metadata: {name: a, uid: u1}, status: {podIP: 10.0.0.1}"));
    history.pods.add(seen("ADDED", "metadata: {name: b, uid: u2}, status: {podIP: 10.0.0.1}"));
    assertThat(violated()).isEmpty();
    history.pods.add(seen("ADDED", "metadata: {name: c, uid: u3}, status: {podIP: 10.0.0.1}"));
    assertThat(violated()).containsExactly("no address on two pods");
  }

  private static JsonNode counter(long value, long revision) {
    return one(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: n, resourceVersion: '%d'}, data: {value: '%d'}}"
            .formatted(revision, value));
  }

  @Test
  void anAcknowledgedWriteIsNeitherLostNorInventedAndTheWatchSaysIt() {
    history.written.add(new Written("n", 1, 10));
    history.written.add(new Written("n", 2, 0));
    history.written.add(new Written("n", 3, 12));
    history.configMaps.add(new Seen("ADDED", counter(1, 10), T));
    history.configMaps.add(new Seen("MODIFIED", counter(3, 12), T));
    history.finalConfigMaps.add(counter(3, 12));
    assertThat(violated()).isEmpty();
    history.configMaps.removeLast();
    assertThat(violated()).hasSize(1); // the watch left one out
    history.configMaps.add(new Seen("MODIFIED", counter(3, 12), T));
    history.configMaps.add(new Seen("MODIFIED", counter(9, 13), T));
    assertThat(violated()).hasSize(1); // nobody wrote 9
    history.configMaps.removeLast();
    history.finalConfigMaps.set(0, counter(1, 10));
    assertThat(violated()).hasSize(1); // 3 is lost
  }

  @Test
  void whatIsDrawnFollowsFromTheSeed() throws IOException {
    Path path = folder.resolve("drawn.yaml");
    Files.writeString(
        path,
        EXPERIMENT
            + """
            random:
              count: 5
              choices:
              - {apiVersion: paramecium.dev/v1alpha1, kind: NodeChaos, metadata: {name: x}, spec: {}}
              - {apiVersion: paramecium.dev/v1alpha1, kind: MapChaos, metadata: {name: y}, spec: {}}
            """);
    List<ExperimentFile.Fault> drawn = ExperimentFile.read(path.toString(), 1, false).faults();
    assertThat(drawn).hasSize(5).isEqualTo(ExperimentFile.read(path.toString(), 1, false).faults());
    assertThat(drawn).isNotEqualTo(ExperimentFile.read(path.toString(), 2, false).faults());
  }

  @Test
  void aFieldThatIsWrongIsNamed() {
    for (String wrong :
        List.of(
            "nods: 3", "nodes: 0", "propagation: soon", "expect: [{flow: g, result: denied}]")) {
      String field = wrong.substring(0, wrong.indexOf(':'));
      String text = EXPERIMENT.replace("propagation: 2s\n", "") + wrong + "\n";
      assertThatThrownBy(() -> file(text))
          .isInstanceOf(UserError.class)
          .hasMessageContaining(field);
    }
  }

  @Test
  void theShippedExperimentsAreReadable() throws IOException {
    Path docs = Path.of("..", "docs", "experiments");
    try (var files = Files.list(docs)) {
      List<Path> all = files.toList();
      assertThat(all).isNotEmpty();
      for (Path path : all) {
        for (boolean brief : List.of(false, true)) {
          ExperimentFile file = ExperimentFile.read(path.toString(), 1, brief);
          assertThat(file.flows().size() + file.churn().size()).as("%s", path).isPositive();
          assertThat(file.faults()).as("%s", path).isNotEmpty();
          assertThat(file.mirrors()).as("%s", path).startsWith("https://github.com/");
        }
      }
    }
  }
}
