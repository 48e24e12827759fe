package dev.paramecium.apiserver;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;

/** How a test starts a JVM of its own, to be killed. */
public final class ChildJvm {

  private ChildJvm() {}

  /** The command line; {@code options} say where its classes are. */
  public static List<String> command(List<String> options, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "--sun-misc-unsafe-memory-access=allow"));
    command.addAll(options);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return command;
  }

  /** This JVM's own class path. Test runners hide it in a loader of their own. */
  public static String classPath() {
    return ChildJvm.class.getClassLoader() instanceof URLClassLoader loader
        ? Arrays.stream(loader.getURLs())
            .map(url -> Path.of(URI.create(url.toString())).toString())
            .collect(Collectors.joining(File.pathSeparator))
        : System.getProperty("java.class.path");
  }

  /**
   * Options with which a JVM that is started hundreds of times starts in half of the time: the same
   * class path, its folders as jars, and an AOT cache of one run, which is ended when {@code
   * isReady} says so.
   *
   * @param folder for the jars and the cache
   */
  public static List<String> rehearsed(
      Path folder, Class<?> main, List<String> arguments, Ready isReady)
      throws IOException, InterruptedException {
    List<String> places = new ArrayList<>();
    for (String place : classPath().split(File.pathSeparator)) {
      if (Files.isDirectory(Path.of(place))) {
        Path jar = folder.resolve("classes-" + places.size() + ".jar");
        int exitCode =
            ToolProvider.findFirst("jar")
                .orElseThrow()
                .run(System.out, System.err, "-cf", jar.toString(), "-C", place, ".");
        if (exitCode != 0) {
          throw new IOException("jar of " + place + " ended with " + exitCode);
        }
        places.add(jar.toString());
      } else {
        places.add(place);
      }
    }
    String classPath = String.join(File.pathSeparator, places);
    Path cache = folder.resolve("rehearsed.aot");
    Process rehearsal =
        new ProcessBuilder(
                command(
                    List.of("-XX:AOTCacheOutput=" + cache, "-cp", classPath),
                    main,
                    arguments.toArray(String[]::new)))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("rehearsal.log").toFile())
            .start();
    try {
      isReady.await();
      rehearsal.destroy();
      if (!rehearsal.waitFor(60, TimeUnit.SECONDS)) {
        throw new IOException("the rehearsal does not end: " + folder.resolve("rehearsal.log"));
      }
    } finally {
      rehearsal.destroyForcibly().waitFor();
    }
    return List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off", "-cp", classPath);
  }

  /** Waits until a process can be used. */
  public interface Ready {
    void await() throws IOException, InterruptedException;
  }
}
