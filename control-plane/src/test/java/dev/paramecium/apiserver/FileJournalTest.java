package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.paramecium.proto.StoredObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterTry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileJournalTest {

  private static StoredObject record(long revision, String json) {
    return StoredObject.newBuilder()
        .setKey("/pods/default/p" + revision)
        .setResourceVersion(revision)
        .setJson(ByteString.copyFromUtf8(json))
        .build();
  }

  private static List<StoredObject> read(Path folder) throws IOException {
    List<StoredObject> records = new ArrayList<>();
    try (FileJournal journal = FileJournal.open(folder)) {
      journal.replay(records::add);
    }
    return records;
  }

  private Path folder;

  @AfterTry
  void removeFolder() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Property(tries = 60)
  void whateverWasAppendedBeforeACutIsThereAndNothingElse(
      @ForAll @Size(min = 1, max = 6) List<@IntRange(min = 0, max = 300) Integer> sizes,
      @ForAll @IntRange(min = 0, max = 10_000) int cut)
      throws IOException {
    folder = Files.createTempDirectory("journal");
    List<Long> ends = new ArrayList<>();
    List<List<StoredObject>> batches = new ArrayList<>();
    long revision = 0;
    try (FileJournal journal = FileJournal.open(folder)) {
      for (int size : sizes) {
        List<StoredObject> batch =
            List.of(record(++revision, "x".repeat(size)), record(++revision, "y"));
        journal.append(batch);
        batches.add(batch);
        ends.add(Files.size(folder.resolve("log")));
      }
    }
    byte[] whole = Files.readAllBytes(folder.resolve("log"));
    int kept = cut % (whole.length + 1);
    Files.write(folder.resolve("log"), Arrays.copyOf(whole, kept));
    List<StoredObject> expected = new ArrayList<>();
    for (int i = 0; i < batches.size(); i++) {
      if (ends.get(i) <= kept) {
        expected.addAll(batches.get(i));
      }
    }
    assertThat(read(folder)).isEqualTo(expected);
    // The torn end is gone for good: what is appended next follows the last whole batch.
    StoredObject next = record(revision + 1, "next");
    try (FileJournal journal = FileJournal.open(folder)) {
      journal.append(List.of(next));
    }
    expected.add(next);
    assertThat(read(folder)).isEqualTo(expected);
  }

  @Property(tries = 60)
  void aFlippedBitInTheLastBatchLosesThatBatchOnly(
      @ForAll @IntRange(min = 0, max = 100_000) int position,
      @ForAll @IntRange(min = 0, max = 7) int bit)
      throws IOException {
    folder = Files.createTempDirectory("journal");
    StoredObject first = record(1, "first");
    long end;
    try (FileJournal journal = FileJournal.open(folder)) {
      journal.append(List.of(first));
      end = Files.size(folder.resolve("log"));
      journal.append(List.of(record(2, "second")));
    }
    byte[] bytes = Files.readAllBytes(folder.resolve("log"));
    int at = (int) end + position % (bytes.length - (int) end);
    bytes[at] ^= (byte) (1 << bit);
    Files.write(folder.resolve("log"), bytes);
    assertThat(read(folder)).containsExactly(first);
  }

  @Test
  void damageBeforeTheEndIsAnErrorThatNamesTheByte(@TempDir Path folder) throws IOException {
    try (FileJournal journal = FileJournal.open(folder)) {
      journal.append(List.of(record(1, "first")));
      journal.append(List.of(record(2, "second")));
    }
    byte[] bytes = Files.readAllBytes(folder.resolve("log"));
    bytes[12] ^= 1;
    Files.write(folder.resolve("log"), bytes);
    assertThatThrownBy(() -> FileJournal.open(folder)).hasMessageContaining("damaged at byte 0");
  }

  @Test
  void compactionKeepsWhatIsAliveAndTheRevision(@TempDir Path folder) throws IOException {
    StoredObject alive = record(7, "alive");
    StoredObject later = record(10, "later");
    try (FileJournal journal = FileJournal.open(folder)) {
      journal.append(List.of(record(1, "dead"), alive));
      journal.compact(List.of(alive), 9);
      journal.append(List.of(later));
    }
    assertThat(read(folder))
        .containsExactly(alive, StoredObject.newBuilder().setResourceVersion(9).build(), later);
  }

  @Test
  void aSecondProcessIsRefusedAndToldWhoHoldsIt(@TempDir Path folder) throws IOException {
    try (FileJournal _ = FileJournal.open(folder)) {
      assertThatThrownBy(() -> FileJournal.open(folder))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("is open in process " + ProcessHandle.current().pid());
    }
    assertThat(read(folder)).isEmpty();
  }
}
