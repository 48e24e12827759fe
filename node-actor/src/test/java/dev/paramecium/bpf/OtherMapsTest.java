package dev.paramecium.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.syscall.Errno;
import dev.paramecium.syscall.PerfRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

final class OtherMapsTest {

  @Nested
  final class PerCpuHash {

    private final PerCpuHashMap metrics =
        new PerCpuHashMap(1, "cilium_metrics", MetricsKey.SIZE, MetricsValue.SIZE, 1024, 4);

    @Test
    void theSumOverAllCpusIsWhatWasCounted() throws Exception {
      long key = Words.word(new MetricsKey(133, MetricsKey.INGRESS).encode(), 0, 8, 0);
      try (ExecutorService threads = Executors.newCachedThreadPool()) {
        List<Future<?>> running = new ArrayList<>();
        for (int thread = 0; thread < 6; thread++) {
          running.add(
              threads.submit(
                  () -> {
                    for (int i = 0; i < 50_000; i++) {
                      int slot = metrics.insert(key);
                      metrics.addI64(slot, MetricsValue.COUNT, 1);
                      metrics.addI64(slot, MetricsValue.BYTES, 74);
                    }
                  }));
        }
        for (Future<?> thread : running) {
          thread.get();
        }
      }
      byte[] values = metrics.lookup(new MetricsKey(133, MetricsKey.INGRESS).encode());
      assertThat(values).hasSize(4 * MetricsValue.SIZE);
      assertThat(MetricsValue.sumOf(values)).isEqualTo(new MetricsValue(300_000, 22_200_000));
      assertThat(metrics.sumI64(metrics.find(key), MetricsValue.BYTES)).isEqualTo(22_200_000);
    }

    @Test
    void userlandWritesOneValueOrOneForEachCpu() {
      byte[] key = new MetricsKey(0, MetricsKey.EGRESS).encode();
      assertThat(metrics.update(key, new MetricsValue(3, 222).encode())).isNull();
      assertThat(MetricsValue.sumOf(metrics.lookup(key))).isEqualTo(new MetricsValue(3, 222));

      byte[] all = new byte[4 * MetricsValue.SIZE];
      all[0] = 1;
      all[3 * MetricsValue.SIZE] = 2;
      assertThat(metrics.update(key, all)).isNull();
      assertThat(metrics.lookup(key)).isEqualTo(all);
      assertThat(metrics.update(key, new byte[17])).isEqualTo(Errno.EINVAL);

      List<byte[]> dumped = new ArrayList<>();
      metrics.forEach((_, value) -> dumped.add(value));
      assertThat(dumped).containsExactly(all);
      assertThat(metrics.delete(key)).isTrue();
      assertThat(metrics.size()).isZero();
    }
  }

  @Nested
  final class Array {

    private final BpfArrayMap map = new BpfArrayMap(1, "cilium_encrypt_state", 12, 3);

    @Test
    void everyEntryIsThereFromTheStartAndStays() {
      assertThat(map.lookup(Words.bytes(2))).isEqualTo(new byte[12]);
      assertThat(map.delete(Words.bytes(2))).isFalse();
      assertThat(map.size()).isEqualTo(3);
      AtomicInteger entries = new AtomicInteger();
      map.forEach((_, _) -> entries.incrementAndGet());
      assertThat(entries).hasValue(3);
    }

    @Test
    void aValueIsWrittenAsBytesAndReadAsFields() {
      byte[] value = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
      assertThat(map.update(Words.bytes(1), value)).isNull();
      assertThat(map.lookup(Words.bytes(1))).isEqualTo(value);
      assertThat(map.u8(1, 4)).isEqualTo(5);
      assertThat(map.i32(1, 8)).isEqualTo(0x0c0b0a09);
      assertThat(map.i64(1, 0)).isEqualTo(0x0807060504030201L);
      assertThat(map.lookup(Words.bytes(0))).isEqualTo(new byte[12]);
    }

    @Test
    void indexesBeyondTheEndAreRefused() {
      assertThat(map.update(Words.bytes(3), new byte[12])).isEqualTo(Errno.E2BIG);
      assertThat(map.update(Words.bytes(-1), new byte[12])).isEqualTo(Errno.E2BIG);
      assertThat(map.update(Words.bytes(1), new byte[11])).isEqualTo(Errno.EINVAL);
      assertThat(map.lookup(Words.bytes(3))).isNull();
    }
  }
}
