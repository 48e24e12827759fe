package dev.paramecium.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every source file is as google-java-format writes it. With {@code -Dformat.apply=true} the test
 * writes the files instead of failing:
 *
 * <pre>
 *   mvn -q test -pl deploy -am -Dtest=SourceFormatTest -Dsurefire.failIfNoSpecifiedTests=false -Dformat.apply=true
 * </pre>
 */
class SourceFormatTest {

  @Test
  void everySourceFileIsFormatted() throws IOException, FormatterException {
    boolean apply = Boolean.getBoolean("format.apply");
    Formatter formatter = new Formatter();
    List<Path> unformatted = new ArrayList<>();
    for (Path source : sources(repository())) {
      String text = Files.readString(source);
      String formatted = formatter.formatSource(text);
      if (!formatted.equals(text)) {
        if (apply) {
          Files.writeString(source, formatted);
        } else {
          unformatted.add(source);
        }
      }
    }
    assertThat(unformatted).as("run this test with -Dformat.apply=true").isEmpty();
  }

  private static List<Path> sources(Path repository) throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String module : List.of("proto", "node-actor", "control-plane", "deploy")) {
      try (Stream<Path> tree = Files.walk(repository.resolve(module).resolve("src"))) {
        tree.filter(path -> path.toString().endsWith(".java")).forEach(sources::add);
      }
    }
    assertThat(sources).hasSizeGreaterThan(50);
    return sources;
  }

  /** The folder that holds LICENSE, from wherever the test is run. */
  static Path repository() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("LICENSE"))) {
      folder = folder.getParent();
    }
    return folder;
  }
}
