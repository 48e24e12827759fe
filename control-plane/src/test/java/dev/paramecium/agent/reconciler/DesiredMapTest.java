package dev.paramecium.agent.reconciler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.agent.reconciler.DesiredMap.Batch;
import dev.paramecium.agent.reconciler.DesiredMap.Status;
import dev.paramecium.syscall.MapEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class DesiredMapTest {

  private final DesiredMap map = new DesiredMap(UnaryOperator.identity());

  private static Bytes bytes(int value) {
    return new Bytes(new byte[] {(byte) (value >> 8), (byte) value});
  }

  private static List<MapEntry> dump(Map<Bytes, Bytes> kernel) {
    List<MapEntry> entries = new ArrayList<>();
    kernel.forEach((key, value) -> entries.add(new MapEntry(key.array(), value.array())));
    return entries;
  }

  /** What a kernel does with a batch up to its first failure, which is at {@code badKey}. */
  private static boolean write(Map<Bytes, Bytes> kernel, Batch batch, int badKey) {
    for (MapEntry entry : batch.upserts()) {
      if (new Bytes(entry.key()).equals(bytes(badKey))) {
        return false;
      }
      kernel.put(new Bytes(entry.key()), new Bytes(entry.value()));
    }
    batch.deletes().forEach(key -> kernel.remove(new Bytes(key)));
    return true;
  }

  @Test
  void writesWhatIsWantedOnce() {
    map.want(bytes(1), bytes(10), 5);
    Batch batch = map.nextBatch(0);
    assertThat(batch.upserts()).hasSize(1);
    map.succeeded(batch);
    assertThat(map.pending()).isZero();
    assertThat(map.want(bytes(1), bytes(10), 6)).as("already so").isZero();
    assertThat(map.nextBatch(0).isEmpty()).isTrue();
  }

  @Test
  void doesNotTakeAnOldBatchForANewWish() {
    map.want(bytes(1), bytes(10), 5);
    Batch old = map.nextBatch(0);
    map.want(bytes(1), bytes(11), 6);
    map.succeeded(old);
    assertThat(map.pending()).isEqualTo(1);
    assertThat(map.nextBatch(0).upserts().getFirst().value()).isEqualTo(bytes(11).array());
  }

  @Test
  void holdsUpNoEntryForABadOne() {
    Map<Bytes, Bytes> kernel = new HashMap<>();
    for (int key = 0; key < 100; key++) {
      map.want(bytes(key), bytes(key), 1);
    }
    for (int call = 0; call < 200 && map.pending() > 1; call++) {
      Batch batch = map.nextBatch(0);
      if (write(kernel, batch, 42)) {
        map.succeeded(batch);
      } else {
        map.failed(batch, "no space", 0);
      }
    }
    assertThat(kernel).hasSize(99);
    DesiredMap.View bad =
        map.view().stream().filter(v -> v.status() == Status.FAILED).findFirst().orElseThrow();
    assertThat(bad.key()).isEqualTo(bytes(42));
    assertThat(bad.error()).isEqualTo("no space");
  }

  @Test
  void waitsLongerAfterEachFailure() {
    map.want(bytes(1), bytes(1), 1);
    long now = 0;
    long previous = 0;
    for (int attempt = 0; attempt < 20; attempt++) {
      Batch batch = map.nextBatch(now);
      assertThat(batch.size()).isEqualTo(1);
      map.failed(batch, "full", now);
      long wait = map.nextRetryMs() - now;
      assertThat(wait).isBetween(previous, 30_000L);
      assertThat(map.nextBatch(now + wait - 1).isEmpty()).isTrue();
      previous = wait;
      now += wait;
    }
    assertThat(previous).isEqualTo(30_000);
  }

  @Test
  void deletesWhatNobodyWantsOnlyWhenAllWishesAreKnown() {
    Map<Bytes, Bytes> kernel = new HashMap<>(Map.of(bytes(1), bytes(1), bytes(2), bytes(2)));
    map.want(bytes(1), bytes(1), 1);
    map.reconcile(dump(kernel), false, 1);
    assertThat(map.nextBatch(0).isEmpty()).as("what is as wanted is not written").isTrue();
    map.reconcile(dump(kernel), true, 1);
    Batch batch = map.nextBatch(0);
    assertThat(batch.deletes()).containsExactly(bytes(2).array());
    assertThat(batch.upserts()).isEmpty();
  }

  @Test
  void repairsWhatChangedBehindItsBack() {
    map.want(bytes(1), bytes(10), 1);
    map.succeeded(map.nextBatch(0));
    map.reconcile(dump(Map.of(bytes(1), bytes(99))), true, 1);
    assertThat(map.nextBatch(0).upserts().getFirst().value()).isEqualTo(bytes(10).array());
  }

  @Test
  void leavesTheKernelsCountersAlone() {
    DesiredMap policy = new DesiredMap(value -> Arrays.copyOf(value, 1));
    policy.want(bytes(1), new Bytes(new byte[] {7, 0}), 1);
    policy.reconcile(List.of(new MapEntry(bytes(1).array(), new byte[] {7, 55})), true, 1);
    assertThat(policy.nextBatch(0).isEmpty()).isTrue();
  }

  @Property(tries = 300)
  void ownsTheKernelsMapInTheEnd(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    DesiredMap desired = new DesiredMap(UnaryOperator.identity());
    Map<Bytes, Bytes> kernel = new HashMap<>();
    Map<Bytes, Bytes> wanted = new HashMap<>();
    for (int key = 0; key < 5; key++) {
      kernel.put(bytes(random.nextInt(30)), bytes(random.nextInt(4)));
    }
    long now = 0;
    Batch inFlight = null;
    for (int step = 0; step < 200; step++) {
      switch (random.nextInt(inFlight == null ? 7 : 5)) {
        case 0, 1, 2 -> {
          Bytes key = bytes(random.nextInt(30));
          Bytes value = bytes(random.nextInt(4));
          wanted.put(key, value);
          desired.want(key, value, step);
        }
        case 3 -> {
          Bytes key = bytes(random.nextInt(30));
          wanted.remove(key);
          desired.want(key, null, step);
        }
        case 4 -> {
          if (inFlight != null) {
            // Succeeds, fails at some key, or takes effect and is reported as failed.
            int fate = random.nextInt(4);
            boolean ok = write(kernel, inFlight, fate == 0 ? random.nextInt(30) : -1);
            if (ok && fate != 1) {
              desired.succeeded(inFlight);
            } else {
              desired.failed(inFlight, "fault", now);
            }
            inFlight = null;
          }
        }
        case 5 -> {
          Batch batch = desired.nextBatch(now);
          inFlight = batch.isEmpty() ? null : batch;
        }
        default -> {
          if (random.nextInt(4) == 0) {
            kernel.remove(bytes(random.nextInt(30))); // an entry is lost
          }
          desired.reconcile(dump(kernel), random.nextBoolean(), step);
        }
      }
      now += random.nextInt(50);
    }
    if (inFlight != null) {
      write(kernel, inFlight, -1);
      desired.succeeded(inFlight);
    }
    desired.reconcile(dump(kernel), true, 200);
    now += 60_000;
    for (Batch batch = desired.nextBatch(now); !batch.isEmpty(); batch = desired.nextBatch(now)) {
      write(kernel, batch, -1);
      desired.succeeded(batch);
    }
    assertThat(kernel).as("seed %d", seed).isEqualTo(wanted);
    assertThat(desired.pending()).isZero();
  }
}
