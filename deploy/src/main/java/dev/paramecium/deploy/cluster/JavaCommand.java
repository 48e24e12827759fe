package dev.paramecium.deploy.cluster;

import dev.paramecium.deploy.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a JVM of this build is started: the same JDK, class path and flags as the launcher uses, with
 * the AOT cache if there is one.
 *
 * @param image what the launcher built: {@code java.args}, {@code lib/}, {@code paramecium.aot};
 *     empty when run from a test's class path
 */
public record JavaCommand(Path java, Optional<Path> image) {

  /** That of the JVM that calls. */
  public static JavaCommand ofThisJvm() {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    return new JavaCommand(
        java, Optional.ofNullable(System.getenv("PARAMECIUM_IMAGE")).map(Path::of));
  }

  /**
   * The whole command line.
   *
   * @param jvmOptions such as {@code -Xmx512m}
   */
  public List<String> of(List<String> jvmOptions, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(java.toString());
    command.add("--sun-misc-unsafe-memory-access=allow");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(jvmOptions);
    image.ifPresentOrElse(
        directory -> {
          Path aot = directory.resolve("paramecium.aot");
          if (Files.exists(aot)) {
            command.add("-XX:AOTCache=" + aot);
            command.add("-Xlog:disable");
            command.add("-Xlog:all=off");
          }
          command.add("@" + directory.resolve("java.args"));
        },
        () -> {
          command.add("-cp");
          command.add(System.getProperty("java.class.path"));
        });
    command.add("dev.paramecium.deploy.Paramecium");
    command.addAll(arguments);
    return command;
  }

  /** Starts it in the background with both outputs appended to {@code log}. */
  Process start(List<String> jvmOptions, List<String> arguments, Path log) {
    return start(of(jvmOptions, arguments), log);
  }

  /** Starts a whole command line as {@link #start(List, List, Path)} does. */
  static Process start(List<String> command, Path log) {
    try {
      Files.createDirectories(log.toAbsolutePath().getParent());
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
          .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
          .start();
    } catch (IOException e) {
      throw new UserError(
          UserError.FAILED, "cannot start " + command.getFirst() + ": " + e.getMessage() + ".");
    }
  }
}
