package dev.paramecium.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Programs of the machine that a test needs. Absent, the test is skipped and says so; in CI it
 * fails instead.
 */
final class Tools {

  private static final boolean CI = "true".equals(System.getenv("CI"));

  private Tools() {}

  static void need(String program) {
    boolean found = false;
    for (String folder : System.getenv("PATH").split(":", -1)) {
      found |= Files.isExecutable(Path.of(folder, program));
    }
    needThat(found, program);
  }

  static void needRoot() {
    needThat("root".equals(System.getProperty("user.name")), "root");
  }

  /**
   * The kubectl of a minor version such as {@code 1.35}, in the folder that {@code .ci/kubectls}
   * fills and {@code PARAMECIUM_KUBECTLS} names.
   */
  static Path kubectl(String version) {
    return client(version, "kubectl");
  }

  /** The Helm that lies beside the kubectl of a minor version: 3 with 1.32, 4 with 1.35. */
  static Path helm(String version) {
    return client(version, "helm");
  }

  private static Path client(String version, String program) {
    String folder = System.getenv("PARAMECIUM_KUBECTLS");
    Path path = Path.of(folder == null ? "" : folder, version, program);
    needThat(folder != null && Files.isExecutable(path), program + " " + version);
    return path;
  }

  private static void needThat(boolean there, String what) {
    if (CI) {
      assertThat(there).as("CI must have " + what).isTrue();
    }
    assumeTrue(there, () -> "skipped, needs " + what);
  }

  /**
   * Runs a program to its end and answers what it printed on both outputs; fails unless it ends
   * with 0.
   */
  static String run(String... command) throws IOException, InterruptedException {
    Result result = tryRun(command);
    assertThat(result.exitCode()).as(() -> List.of(command) + "\n" + result.output()).isZero();
    return result.output();
  }

  record Result(int exitCode, String output) {}

  static Result tryRun(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS))
        .as(() -> List.of(command) + " hangs")
        .isTrue();
    return new Result(process.exitValue(), output);
  }
}
