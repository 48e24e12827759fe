package dev.paramecium.deploy.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One unmodified kubectl with a HOME of its own, so that no version reads what another cached, in a
 * namespace of its own.
 *
 * @param home HOME, and where what it prints is kept while it runs
 */
record Kubectl(Path program, Path home, Path kubeconfig, String namespace) {

  private static final long LIMIT_SECONDS = 60;

  /** What a command printed and how it ended. */
  record Result(int exitCode, String stdout, String stderr) {}

  /** A port-forward that listens: close it. */
  record Forward(Process process, int port) implements AutoCloseable {

    @Override
    public void close() {
      process.destroyForcibly().onExit().join();
    }
  }

  /** A command that goes on printing: close it. */
  record Follow(Process process, Path stdout) implements AutoCloseable {

    String output() throws IOException {
      return Files.readString(stdout);
    }

    @Override
    public void close() {
      process.destroyForcibly().onExit().join();
    }
  }

  /** Starts a command that does not end by itself. */
  Follow follow(String... arguments) throws IOException {
    Path stdout = Files.createTempFile(home, "stdout", "");
    return new Follow(start(stdout, Files.createTempFile(home, "stderr", ""), arguments), stdout);
  }

  /** Runs a command that must end with 0, and answers what it printed. */
  String run(String... arguments) {
    return runWithInput("", arguments);
  }

  String runWithInput(String input, String... arguments) {
    Result result = end(input, arguments);
    assertThat(result.exitCode())
        .as(() -> program + " " + List.of(arguments) + "\n" + result)
        .isZero();
    return result.stdout();
  }

  /** Runs a command in a pod of the namespace. */
  String exec(String pod, String... command) {
    return run(words(List.of("exec", pod, "--"), command));
  }

  /** Runs a command that may fail. */
  Result tryRun(String... arguments) {
    return end("", arguments);
  }

  private Result end(String input, String... arguments) {
    try {
      Path stdout = Files.createTempFile(home, "stdout", "");
      Path stderr = Files.createTempFile(home, "stderr", "");
      Process process = start(stdout, stderr, arguments);
      try (var stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(UTF_8));
      }
      boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
      if (!ended) {
        process.destroyForcibly().onExit().join();
      }
      Result result =
          new Result(process.exitValue(), Files.readString(stdout), Files.readString(stderr));
      assertThat(ended).as(() -> program + " " + List.of(arguments) + " hangs\n" + result).isTrue();
      return result;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while kubectl runs", e);
    }
  }

  /** Forwards a free port of 127.0.0.1 to a pod's, and waits until it listens. */
  Forward forward(String pod, int port) throws IOException {
    Path stdout = Files.createTempFile(home, "stdout", "");
    Path stderr = Files.createTempFile(home, "stderr", "");
    Process process =
        start(stdout, stderr, "port-forward", "--address", "127.0.0.1", pod, ":" + port);
    Pattern listens = Pattern.compile("Forwarding from 127\\.0\\.0\\.1:(\\d+) -> " + port);
    try {
      await()
          .atMost(TestCluster.LIMIT)
          .failFast(
              () ->
                  assertThat(process.isAlive())
                      .as(() -> "port-forward runs\n" + errors(stderr))
                      .isTrue())
          .until(() -> listens.matcher(Files.readString(stdout)).find());
    } catch (RuntimeException e) {
      process.destroyForcibly().onExit().join();
      throw e;
    }
    Matcher matcher = listens.matcher(Files.readString(stdout));
    assertThat(matcher.find()).isTrue();
    return new Forward(process, Integer.parseInt(matcher.group(1)));
  }

  private static String errors(Path stderr) {
    try {
      return Files.readString(stderr);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Process start(Path stdout, Path stderr, String... arguments) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(words(List.of(program.toString(), "--namespace", namespace), arguments));
    builder.environment().clear();
    builder.environment().put("HOME", home.toString());
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    builder.environment().put("PATH", System.getenv("PATH"));
    return builder
        .directory(home.toFile())
        .redirectOutput(stdout.toFile())
        .redirectError(stderr.toFile())
        .start();
  }

  private static String[] words(List<String> first, String... then) {
    List<String> all = new ArrayList<>(first);
    all.addAll(List.of(then));
    return all.toArray(String[]::new);
  }
}
