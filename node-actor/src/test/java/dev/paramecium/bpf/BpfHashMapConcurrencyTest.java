package dev.paramecium.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/**
 * Readers without locks beside writers: what is found is never another key's, never half a value.
 */
final class BpfHashMapConcurrencyTest {

  private static final int KEYS = 64;
  private static final int WRITES = 400_000;

  /** A value whose two words tell its key and each other. */
  private static byte[] value(long key, long version) {
    byte[] bytes = new byte[16];
    long first = (key << 32) | version;
    long second = ~first;
    for (int i = 0; i < 8; i++) {
      bytes[i] = (byte) (first >>> (8 * i));
      bytes[8 + i] = (byte) (second >>> (8 * i));
    }
    return bytes;
  }

  private static void readUntil(BpfHashMap map, AtomicBoolean done, int stableKeys) {
    long round = 0;
    while (!done.get()) {
      long key = round++ % KEYS;
      int slot = map.find(key, key * 31);
      if (slot >= 0) {
        long stamp = map.stamp(slot);
        boolean held = map.holds(slot, key, key * 31, 0);
        long first = map.i64(slot, 0);
        long second = map.i64(slot, 8);
        if (held && map.stamp(slot) == stamp) {
          assertThat(first >>> 32).isEqualTo(key);
          assertThat(second).isEqualTo(~first);
        }
      } else {
        assertThat(key)
            .as("a key that is replaced but never removed")
            .isGreaterThanOrEqualTo(stableKeys);
      }
    }
  }

  private static void run(BpfHashMap map, int stableKeys, int writers) throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    for (long key = 0; key < stableKeys; key++) {
      map.update(key, key * 31, value(key, 0), 0);
    }
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<?>> readers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        readers.add(threads.submit(() -> readUntil(map, done, stableKeys)));
      }
      List<Future<?>> writing = new ArrayList<>();
      for (int writer = 0; writer < writers; writer++) {
        RandomSource random = RandomSource.seeded(4711 + writer);
        writing.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < WRITES; i++) {
                    long key = (random.nextLong() >>> 1) % KEYS;
                    if (key >= stableKeys && (random.nextInt() & 1) == 0) {
                      map.remove(key, key * 31);
                    } else {
                      map.update(key, key * 31, value(key, i), 0);
                    }
                  }
                }));
      }
      try {
        for (Future<?> writer : writing) {
          writer.get();
        }
      } finally {
        done.set(true);
      }
      for (Future<?> reader : readers) {
        reader.get();
      }
    }
  }

  @Test
  void aReaderNeverSeesAnotherKeysValueNorHalfOfOne() throws Exception {
    run(BpfHashMap.hash(1, "cilium_test", 16, 16, KEYS), 0, 1);
  }

  @Test
  void aKeyThatIsOnlyReplacedIsAlwaysFound() throws Exception {
    run(BpfHashMap.hash(1, "cilium_test", 16, 16, KEYS), 8, 1);
  }

  @Test
  void writersExcludeOneAnother() throws Exception {
    run(BpfHashMap.hash(1, "cilium_test", 16, 16, KEYS), 8, 2);
  }

  @Test
  void anLruMapMayEvictWhileOthersRead() throws Exception {
    run(BpfHashMap.lru(1, "cilium_ct4_global", 16, 16, KEYS / 4), 0, 2);
  }

  @Test
  void countersThatManyThreadsAddToAreExact() throws Exception {
    BpfHashMap map = BpfHashMap.hash(1, "cilium_test", 8, 16, 1000);
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<?>> running = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        running.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 100_000; i++) {
                    map.addI64(map.insert(i % 1000), 8, 1);
                  }
                }));
      }
      for (Future<?> thread : running) {
        thread.get();
      }
    }
    long sum = 0;
    for (int slot = map.nextSlot(-1); slot >= 0; slot = map.nextSlot(slot)) {
      assertThat(map.i64(slot, 8)).isEqualTo(400);
      sum += map.i64(slot, 8);
    }
    assertThat(sum).isEqualTo(400_000);
  }
}
