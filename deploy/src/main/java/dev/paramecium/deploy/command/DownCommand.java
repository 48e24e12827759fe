package dev.paramecium.deploy.command;

import dev.paramecium.deploy.cluster.LocalCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Stops everything that {@code up} started. */
@Command(
    name = "down",
    mixinStandardHelpOptions = true,
    description =
        "Stops everything that 'up' started, also what a crash left. The objects stay for the next"
            + " 'up'.")
final class DownCommand implements Callable<Integer> {

  @Option(
      names = "--purge",
      description = "also delete the cluster's state: its objects, logs and kubeconfig")
  private boolean purge;

  @Override
  public Integer call() {
    Path home = ClusterOptions.home();
    int stopped = LocalCluster.stop(home, line -> System.out.println("  " + line));
    System.out.println(
        stopped == 0 ? "No cluster was running." : "Stopped " + stopped + " processes.");
    if (purge) {
      deleteTree(home);
      System.out.println("Deleted " + home + ".");
    }
    return 0;
  }

  /** Deletes a folder and all that is in it. */
  static void deleteTree(Path root) {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(root)) {
      List<Path> deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
      for (Path path : deepestFirst) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + root, e);
    }
  }
}
