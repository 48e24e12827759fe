package dev.paramecium.apiserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.paramecium.chaos.JournalDisk;
import dev.paramecium.proto.StoredObject;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A disk that is full or slow for a time. */
class JournalDiskTest {

  private static final Instant T = Instant.parse("2026-01-01T00:00:00Z");

  private Instant now = T;
  private final JournalDisk disk = new JournalDisk(() -> now);
  private final Journal journal = new JournalOnDisk(new MemoryJournal(), disk);

  private void append(long revision) throws IOException {
    journal.append(List.of(StoredObject.newBuilder().setResourceVersion(revision).build()));
  }

  private List<Long> revisions() throws IOException {
    List<Long> revisions = new ArrayList<>();
    journal.replay(record -> revisions.add(record.getResourceVersion()));
    return revisions;
  }

  @Test
  void takesNothingWhileItIsFullAndEverythingAfterwards() throws IOException {
    disk.fill(T.plusSeconds(1), T.plusSeconds(3));
    append(1);
    now = T.plusSeconds(1);
    assertThatThrownBy(() -> append(2))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("space");
    assertThat(revisions()).containsExactly(1L);
    now = T.plusSeconds(3);
    append(3);
    assertThat(revisions()).containsExactly(1L, 3L);
  }

  @Test
  void takesLongerWhileItIsSlowUntilItIsMended() throws IOException {
    disk.slow(Duration.ofMillis(50), T, T.plusSeconds(1));
    long start = System.nanoTime();
    append(1);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(49));
    disk.mend();
    disk.fill(T, T.plusSeconds(1));
    disk.mend();
    append(2);
    assertThat(revisions()).containsExactly(1L, 2L);
  }
}
