package dev.paramecium.deploy.bench;

import dev.paramecium.deploy.UserError;
import dev.paramecium.deploy.cluster.LocalCluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/** The C program that the pods are compared with: a process of the host's as an end. */
record ReferenceProgram(Path program) implements LoadEnd {

  private static final String SOURCE = "reference.c";

  /**
   * Compiles it with the machine's C compiler.
   *
   * @param directory where source and program go
   * @throws UserError if there is no compiler, or it refuses
   */
  static ReferenceProgram compile(Path directory) {
    Path source = directory.resolve(SOURCE);
    Path program = directory.resolve("reference");
    try (InputStream text =
        Objects.requireNonNull(ReferenceProgram.class.getResourceAsStream(SOURCE), SOURCE)) {
      Files.createDirectories(directory);
      Files.write(source, text.readAllBytes());
      Process compiler =
          new ProcessBuilder("cc", "-O2", "-o", program.toString(), source.toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (compiler.waitFor() != 0) {
        throw new UserError(
            UserError.FAILED, "cc cannot compile the reference program: " + said.strip());
      }
      return new ReferenceProgram(program);
    } catch (IOException e) {
      throw new UserError(
          UserError.FAILED,
          "the benchmark compiles C programs to compare with, and cc cannot be run ("
              + e.getMessage()
              + "). Install a C compiler (Debian: apt install gcc libc6-dev).");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError(UserError.FAILED, "interrupted.");
    }
  }

  @Override
  public String address() {
    return "127.0.0.1";
  }

  @Override
  public int freePort() {
    return LocalCluster.freePort();
  }

  @Override
  public Running start(List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(arguments);
    return run(command);
  }

  /** Runs any command as an end; its first line is that it listens. */
  static Running run(List<String> command) {
    CompletableFuture<Void> listening = new CompletableFuture<>();
    CompletableFuture<String> done = new CompletableFuture<>();
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
      Thread.startVirtualThread(() -> read(command, process, listening, done));
    } catch (IOException e) {
      throw new UserError(
          UserError.FAILED, "cannot run " + command.getFirst() + ": " + e.getMessage() + ".");
    }
    return new Running(listening, done);
  }

  private static void read(
      List<String> command,
      Process process,
      CompletableFuture<Void> listening,
      CompletableFuture<String> done) {
    StringBuilder text = new StringBuilder();
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        text.append(line).append('\n');
        listening.complete(null);
      }
      int exitCode = process.waitFor();
      if (exitCode != 0) {
        throw new UserError(
            UserError.FAILED,
            String.join(" ", command) + " ended with exit code " + exitCode + ": " + text);
      }
      done.complete(text.toString());
    } catch (IOException e) {
      done.completeExceptionally(new UncheckedIOException(e));
    } catch (UserError e) {
      done.completeExceptionally(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      done.completeExceptionally(e);
    }
  }
}
