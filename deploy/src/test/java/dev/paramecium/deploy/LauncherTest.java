package dev.paramecium.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher script, on machines that have the wrong Java. */
class LauncherTest {

  @TempDir private Path folder;

  private record Result(int exitCode, String stderr) {}

  @Test
  void saysWhatToInstallWhenThereIsOnlyAnOlderJava() throws IOException, InterruptedException {
    Path java =
        executable("bin/java", "#!/bin/sh\necho 'openjdk version \"17.0.15\" 2025-04-15' >&2\n");

    Result result = run(java.getParent());

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.stderr())
        .startsWith("paramecium: needs a JDK 25, and found openjdk version \"17.0.15\"")
        .contains("Install one")
        .doesNotContain("line ");
  }

  @Test
  void saysSoWhenThereIsNoJavaAtAll() throws IOException, InterruptedException {
    Result result = run(folder);

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.stderr()).startsWith("paramecium: needs a JDK 25, and found no java at all.");
  }

  private Path executable(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    return file;
  }

  /**
   * Runs the launcher with the usual tools and {@code first} in the path, and no JDK in the usual
   * places.
   */
  private Result run(Path first) throws IOException, InterruptedException {
    Path tools = folder.resolve("tools");
    Files.createDirectories(tools);
    for (String tool :
        new String[] {"bash", "env", "dirname", "readlink", "grep", "head", "find"}) {
      Path link = tools.resolve(tool);
      if (!Files.exists(link)) {
        Files.createSymbolicLink(link, which(tool));
      }
    }
    ProcessBuilder builder =
        new ProcessBuilder(
            SourceFormatTest.repository().resolve("paramecium").toString(), "status");
    builder.environment().clear();
    builder.environment().put("PATH", first + ":" + tools);
    builder.environment().put("HOME", folder.toString());
    builder.environment().put("PARAMECIUM_JDK_SEARCH", "");
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    Process process = builder.start();
    String stderr = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), stderr);
  }

  private static Path which(String tool) {
    for (String directory : System.getenv("PATH").split(":", -1)) {
      Path candidate = Path.of(directory, tool);
      if (Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    throw new AssertionError("no " + tool);
  }
}
