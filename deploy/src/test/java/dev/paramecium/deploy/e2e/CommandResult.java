package dev.paramecium.deploy.e2e;

import dev.paramecium.deploy.Paramecium;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What a command of {@code paramecium} printed and how it ended. */
record CommandResult(int exitCode, String stdout, String stderr) {

  /**
   * Runs a command line against a cluster in this JVM.
   *
   * @param server the API server's URL
   * @param words the command, its sub-command if it has one, its arguments
   */
  static CommandResult run(String server, String... words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(words[0].equals("policy") ? 2 : 1, List.of("--server", server));
    return run(all);
  }

  /**
   * Runs a command line that needs no cluster in this JVM.
   *
   * @param words the command and its arguments
   */
  static CommandResult run(List<String> words) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(stdout, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(stderr, true, StandardCharsets.UTF_8));
      int exitCode = Paramecium.run(words.toArray(String[]::new));
      return new CommandResult(
          exitCode,
          stdout.toString(StandardCharsets.UTF_8),
          stderr.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }
}
