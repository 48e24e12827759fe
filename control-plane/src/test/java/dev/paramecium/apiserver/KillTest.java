package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.paramecium.proto.StoredObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code kill -9} at random moments under four writers: what was acknowledged is there with its
 * resourceVersion, what was not tried is not, and resourceVersions never go back.
 */
class KillTest {

  private static final int KILLS = Integer.getInteger("paramecium.kills", 12);

  private final Set<String> tried = new HashSet<>();
  private final Map<String, Long> stored = new HashMap<>();
  private final Set<String> undone = new HashSet<>();
  private final Set<String> deleted = new HashSet<>();

  @Test
  void losesNothingThatWasAcknowledged(@TempDir Path folder) throws Exception {
    long seed = Long.getLong("paramecium.seed", System.nanoTime());
    System.out.println("KillTest seed " + seed);
    Random random = new Random(seed);
    long newest = 0;
    for (int round = 0; round < KILLS; round++) {
      int before = stored.size();
      long lowestOfRound = run(folder, round, 1 + random.nextInt(400));
      assertThat(stored.size()).as("acknowledged in round %d", round).isGreaterThan(before);
      assertThat(lowestOfRound).as("first revision of round %d", round).isGreaterThan(newest);
      newest = check(folder);
    }
  }

  /** Runs the process until it has said {@code lines} lines, then kills it. */
  private long run(Path folder, int round, int lines) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                ChildJvm.command(
                    List.of("-cp", ChildJvm.classPath()),
                    WriterProcess.class,
                    folder.toString(),
                    Integer.toString(round)))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long lowest = Long.MAX_VALUE;
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      String line;
      int acknowledged = 0;
      while ((line = out.readLine()) != null) {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
          case "try" -> tried.add(words[1]);
          case "stored" -> {
            stored.put(words[1], Long.parseLong(words[2]));
            lowest = Math.min(lowest, Long.parseLong(words[2]));
            if (++acknowledged == lines) {
              // Through the handle: what it has said before its death stays readable.
              process.toHandle().destroyForcibly();
            }
          }
          case "undo" -> undone.add(words[1]);
          case "deleted" -> deleted.add(words[1]);
          default -> {}
        }
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    return lowest;
  }

  private long check(Path folder) throws IOException {
    Map<String, Long> found = new HashMap<>();
    long[] newest = {0};
    ObjectMapper json = new ObjectMapper();
    try (FileJournal journal = FileJournal.open(folder)) {
      journal.replay(
          record -> {
            assertThat(record.getResourceVersion()).isGreaterThan(newest[0]);
            newest[0] = record.getResourceVersion();
            if (record.getKey().startsWith("/pods/")) {
              replay(json, found, record);
            }
          });
    }
    assertThat(tried).containsAll(found.keySet());
    // Nothing may be deleted yet: a process can be killed after its first write.
    assertThat(found.keySet()).noneMatch(deleted::contains);
    stored.forEach(
        (name, revision) -> {
          if (found.containsKey(name) || !undone.contains(name)) {
            assertThat(found).as("an acknowledged write").containsEntry(name, revision);
          }
        });
    return newest[0];
  }

  private static void replay(ObjectMapper json, Map<String, Long> found, StoredObject record) {
    String name = record.getKey().substring(record.getKey().lastIndexOf('/') + 1);
    if (record.getJson().isEmpty()) {
      found.remove(name);
      return;
    }
    try {
      found.put(
          name,
          json.readTree(record.getJson().toByteArray())
              .path("metadata")
              .path("resourceVersion")
              .asLong());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
