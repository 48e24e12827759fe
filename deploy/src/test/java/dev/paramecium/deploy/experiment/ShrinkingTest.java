package dev.paramecium.deploy.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a failure, and how it is drawn. */
final class ShrinkingTest {

  @TempDir private Path folder;

  /** Eight faults, a second each, named a to h. */
  private ExperimentFile eight() throws IOException {
    StringBuilder text =
        new StringBuilder(
            """
            apiVersion: paramecium.dev/v1alpha1
            kind: ChaosExperiment
            metadata: {name: eight}
            workload: {flows: [{name: f, to: default/s, port: 80}]}
            faults:
            """);
    for (char name = 'a'; name <= 'h'; name++) {
      text.append(
          "- {at: %ds, for: 1s, object: {apiVersion: v1, kind: X, metadata: {name: %c}}}%n"
              .formatted(name - 'a', name));
    }
    Path path = folder.resolve("eight.yaml");
    Files.writeString(path, text);
    return ExperimentFile.read(path.toString(), 1, false);
  }

  private static List<String> names(ExperimentFile file) {
    return file.faults().stream().map(f -> f.object().at("/metadata/name").asText()).toList();
  }

  @Test
  void keepsTheFaultsThatAreNeededAndTheTimeThatTheyNeed() throws Exception {
    ExperimentFile smallest =
        Shrinking.shrink(eight(), file -> names(file).containsAll(List.of("b", "e")), 100);
    assertThat(names(smallest)).containsExactly("b", "e");
    assertThat(smallest.duration()).isEqualTo(Duration.ofSeconds(5));
    assertThat(smallest.summary()).contains("5.0 s", "X b", "X e");
  }

  @Test
  void triesNoOftenerThanItMay() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    ExperimentFile file = eight();
    ExperimentFile smallest =
        Shrinking.shrink(
            file,
            candidate -> {
              runs.incrementAndGet();
              return false;
            },
            5);
    assertThat(runs).hasValue(5);
    assertThat(smallest).isEqualTo(file);
  }

  @Test
  void dropsEveryFaultIfItFailsWithoutAny() throws Exception {
    assertThat(names(Shrinking.shrink(eight(), _ -> true, 100))).isEmpty();
  }

  @Test
  void thePageShowsFaultsAnswersAndWhatWasViolated() {
    Timeline timeline =
        new Timeline(
            List.of(new Timeline.Bar("NodeChaos <x>", 1, 2)),
            List.of(),
            List.of(1.5),
            Map.of(
                "client", List.of(new Timeline.Answer(0.5, true), new Timeline.Answer(1, false))),
            4);
    String page =
        TimelinePage.of(
            List.of(
                new Verdict(
                    "n",
                    "f",
                    "",
                    7,
                    4,
                    List.of(),
                    List.of(),
                    List.of(new Verdict.Case("c", List.of("it was lost"))),
                    timeline)));
    assertThat(page)
        .contains("NodeChaos &lt;x&gt;", "class=\"yes\"", "class=\"no\"", "it was lost", "seed 7")
        .doesNotContain("<x>");
  }
}
