package dev.paramecium.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the user does wrong is told with file, field and rule; what differs is told field by field.
 */
class MalformedVectorTest {

  private static final String VECTOR = "aggregation-medium/fc-remote-tcp-data-established.json";

  @TempDir private Path folder;

  @Test
  void namesAFileThatIsNotThere() {
    assertRefused(folder.resolve("nothing"), "there is no such file or folder");
  }

  @Test
  void namesAFolderWithoutVectors() {
    assertRefused(folder, "no vector files");
  }

  @Test
  void namesAFileThatIsNoJson() throws Exception {
    assertRefused(write("{"), "is no JSON");
  }

  @Test
  void namesAMissingField() throws Exception {
    assertRefused(write("{\"name\": \"x\"}"), "field node_config is missing");
  }

  @Test
  void namesAFieldWithAWrongValue() throws Exception {
    assertRefused(
        changed("\"tunnel_endpoint\": \"172.18.0.2\"", "\"tunnel_endpoint\": \"172.18\""),
        "field maps_before.ipcache",
        "must be an IPv4 address, is \"172.18\"");
    assertRefused(
        changed("\"hook\": \"from-container\"", "\"hook\": \"from-nowhere\""),
        "field hook must be one of from-container");
    assertRefused(
        changed("\"endpoint\": \"epA\"", "\"endpoint\": \"epZ\""),
        "field endpoint must name one of");
  }

  @Test
  void tellsWhereTheDatapathDiffers() throws Exception {
    Path file = changed("\"mark_out\": 0", "\"mark_out\": 5");
    List<Result> results = Conformance.run(file);
    assertThat(results).hasSize(1);
    assertThat(results.get(0).differences()).containsExactly(new Difference("mark_out", "5", "0"));
    assertThat(Conformance.run(List.of(file), _ -> {})).isEqualTo(new Conformance.Summary(0, 1));
  }

  private Path changed(String from, String to) throws Exception {
    String text = Files.readString(ConformanceTest.vectors().resolve(VECTOR));
    assertThat(text).contains(from);
    return write(text.replace(from, to));
  }

  private Path write(String text) throws Exception {
    return Files.writeString(folder.resolve("vector.json"), text);
  }

  private static void assertRefused(Path path, String... words) {
    assertThatThrownBy(() -> Conformance.run(path))
        .isInstanceOf(MalformedVectorException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContainingAll(words);
  }
}
