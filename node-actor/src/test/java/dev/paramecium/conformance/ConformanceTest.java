package dev.paramecium.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every golden vector that this repository keeps. */
class ConformanceTest {

  @TestFactory
  Stream<DynamicTest> doesWhatCiliumDidWithAggregationMedium() throws Exception {
    return tests("aggregation-medium", 149);
  }

  @TestFactory
  Stream<DynamicTest> doesWhatCiliumDidWithoutAggregation() throws Exception {
    return tests("aggregation-none", 149);
  }

  @TestFactory
  Stream<DynamicTest> doesWhatCiliumDidWithNodePort() throws Exception {
    return tests("nodeport", 15);
  }

  @TestFactory
  Stream<DynamicTest> doesWhatCiliumDidInRandomSequences() throws Exception {
    return tests("random", 280);
  }

  private static Stream<DynamicTest> tests(String folder, int count)
      throws MalformedVectorException, URISyntaxException {
    List<Result> results = Conformance.run(vectors().resolve(folder));
    assertThat(results).as("vectors in %s", folder).hasSize(count);
    return results.stream()
        .map(
            result ->
                DynamicTest.dynamicTest(
                    result.name(), () -> assertThat(result.differences()).isEmpty()));
  }

  static Path vectors() throws URISyntaxException {
    URL folder = ConformanceTest.class.getResource("/vectors/README.md");
    return Objects.requireNonNull(Path.of(Objects.requireNonNull(folder).toURI()).getParent());
  }
}
