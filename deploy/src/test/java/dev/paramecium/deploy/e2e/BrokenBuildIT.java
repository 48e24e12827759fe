package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.defect.Defect;
import dev.paramecium.deploy.experiment.ExperimentFile;
import dev.paramecium.deploy.experiment.ExperimentSeries;
import dev.paramecium.deploy.experiment.Verdict;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A build that is broken on purpose is noticed by the invariant that it breaks, and by no other.
 */
class BrokenBuildIT {

  private static final String FILE = "src/test/resources/broken-build.yaml";

  private final ExperimentSeries series = new ExperimentSeries(true, _ -> {});

  @AfterEach
  void stop() {
    for (Defect defect : Defect.values()) {
      defect.arm(0);
    }
    series.close();
  }

  private List<String> violated(@Nullable Defect defect) throws InterruptedException {
    Verdict verdict = series.run(ExperimentFile.read(FILE, 1, false), 1, defect);
    System.out.print(verdict.text());
    return verdict.cases().stream()
        .filter(one -> !one.violations().isEmpty())
        .map(Verdict.Case::name)
        .toList();
  }

  @Test
  void eachDefectIsNoticed() throws InterruptedException {
    assertThat(violated(null)).as("nothing is broken yet").isEmpty();
    assertThat(violated(Defect.PASS_DENIED))
        .containsExactly("no packet delivered that no policy allowed");
    assertThat(violated(Defect.LOSE_WRITE))
        .containsExactly("no acknowledged write lost, none invented, watches complete");
    assertThat(violated(Defect.SKIP_RESYNC))
        .containsExactly("after the faults every node's maps are what the objects say");
  }
}
