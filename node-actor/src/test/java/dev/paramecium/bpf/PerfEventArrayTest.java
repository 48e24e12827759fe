package dev.paramecium.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.paramecium.syscall.PerfRecord;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

final class PerfEventArrayTest {

  private final PerfEventArray events = new PerfEventArray(1, "cilium_events", 4);

  private static byte[] record(int number) {
    return new byte[] {(byte) number};
  }

  @Test
  void everyReaderGetsWhatIsWrittenWhileItIsOpen() {
    assertThat(events.isRead()).isFalse();
    events.output(0, 1, record(0));
    PerfEventArray.Reader one = events.open(1, () -> {});
    events.output(2, 10, record(1));
    PerfEventArray.Reader other = events.open(1, () -> {});
    events.output(3, 20, record(2));
    assertThat(events.isRead()).isTrue();

    PerfRecord first = one.poll();
    assertThat(first.bytes()).isEqualTo(record(1));
    assertThat(first.cpu()).isEqualTo(2);
    assertThat(first.timestampNs()).isEqualTo(10);
    assertThat(one.poll().bytes()).isEqualTo(record(2));
    assertThat(one.poll()).isNull();
    assertThat(other.poll().bytes()).isEqualTo(record(2));

    one.close();
    events.output(0, 30, record(3));
    assertThat(one.poll()).isNull();
    assertThat(other.poll().bytes()).isEqualTo(record(3));
    other.close();
    assertThat(events.isRead()).isFalse();
  }

  @Test
  void aSlowReaderLosesTheNewestAndIsToldHowMany() {
    PerfEventArray.Reader reader = events.open(1, () -> {});
    // A record takes 20 bytes and its own: two of 2000 fill a page.
    for (int number = 1; number <= 5; number++) {
      byte[] large = new byte[2000];
      large[0] = (byte) number;
      events.output(0, number, large);
    }
    assertThat(reader.poll().bytes()[0]).isEqualTo((byte) 1);
    events.output(0, 6, record(6));
    assertThat(reader.poll().lost()).isZero();
    PerfRecord after = reader.poll();
    assertThat(after.bytes()).isEqualTo(record(6));
    assertThat(after.lost()).isEqualTo(3);
    assertThat(reader.lost()).isEqualTo(3);
    events.output(0, 7, record(7));
    assertThat(reader.poll().lost()).isZero();
  }

  @Test
  void aFullRingOfOneCpuCostsTheOthersNothing() {
    PerfEventArray.Reader reader = events.open(1, () -> {});
    for (int i = 0; i < 3; i++) {
      events.output(0, 5, new byte[2000]);
    }
    events.output(1, 4, record(1));
    assertThat(reader.poll().cpu()).as("the oldest first").isEqualTo(1);
    assertThat(reader.lost()).isEqualTo(1);
  }

  @Test
  void aReaderIsWokenOnceForWhatWaits() {
    AtomicInteger wakeups = new AtomicInteger();
    PerfEventArray.Reader reader = events.open(1, wakeups::incrementAndGet);
    events.output(0, 1, record(1));
    events.output(0, 2, record(2));
    assertThat(wakeups).hasValue(1);
    while (reader.poll() != null) {
      // drained
    }
    events.output(0, 3, record(3));
    assertThat(wakeups).hasValue(2);
  }

  @Test
  void refusesARecordLongerThanAPageAndPagesThatAreNoPowerOfTwo() {
    PerfEventArray.Reader reader = events.open(1, () -> {});
    assertThatThrownBy(() -> events.output(0, 1, new byte[4096]))
        .hasMessage("a perf record of 4096 bytes: it must fit into 4096");
    assertThat(reader.poll()).isNull();
    assertThatThrownBy(() -> events.open(3, () -> {})).hasMessageContaining("power of two");
  }

  @Test
  void writingAndReadingInPlaceAllocatesNothing() {
    SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 1);
    SkBuff packet = pool.take();
    packet.setBytes(new byte[100], 0, 100);
    byte[] message = new byte[48];
    PerfEventArray.Reader reader = events.open(1, () -> {});
    AtomicLong seen = new AtomicLong();
    PerfEventArray.Visitor count = (_, _, _, _, length, _) -> seen.addAndGet(length);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().threadId();
    long fewest = Long.MAX_VALUE;
    int rounds = 20;
    int records = 10_000;
    for (int round = 0; round < rounds; round++) {
      long before = threads.getThreadAllocatedBytes(thread);
      for (int i = 0; i < records; i++) {
        events.output(i, message, message.length, packet, 100);
        reader.read(count);
      }
      fewest = Math.min(fewest, threads.getThreadAllocatedBytes(thread) - before);
    }
    assertThat(seen).hasValue(148L * rounds * records);
    assertThat(fewest).as("bytes for " + records + " records").isLessThan(records);
  }

  /** Sizes are record sizes; every fourth step reads as much as the size says. */
  @Property
  void whatIsReadIsWhatWasWrittenInOrderWithEveryLossCounted(
      @ForAll @Size(max = 400) List<@IntRange(max = 700) Integer> sizes) {
    PerfEventArray array = new PerfEventArray(1, "cilium_events", 1);
    PerfEventArray.Reader reader = array.open(1, () -> {});
    Queue<byte[]> kept = new ArrayDeque<>();
    long lost = 0;
    long told = 0;
    for (int i = 0; i < sizes.size(); i++) {
      if (i % 4 == 3) {
        for (int n = 0; n < sizes.get(i) % 8; n++) {
          told += check(reader.poll(), kept.poll());
        }
        continue;
      }
      byte[] written = new byte[sizes.get(i)];
      Arrays.fill(written, (byte) i);
      long before = reader.lost();
      array.output(0, i, written);
      if (reader.lost() == before) {
        kept.add(written);
      } else {
        lost++;
      }
    }
    while (!kept.isEmpty()) {
      told += check(reader.poll(), kept.poll());
    }
    assertThat(reader.poll()).isNull();
    array.output(0, 0, record(1));
    told += reader.poll().lost();
    assertThat(told).isEqualTo(lost);
  }

  private static long check(PerfRecord read, byte[] written) {
    if (written == null) {
      assertThat(read).isNull();
      return 0;
    }
    assertThat(read.bytes()).isEqualTo(written);
    return read.lost();
  }

  @Test
  void aReaderThatSleepsUntilItIsWokenMissesNothingOfManyWriters() throws InterruptedException {
    int writers = 4;
    int each = 50_000;
    Semaphore awake = new Semaphore(0);
    PerfEventArray.Reader reader = events.open(64, awake::release);
    for (int w = 0; w < writers; w++) {
      Thread.ofPlatform()
          .start(
              () -> {
                for (int i = 0; i < each; i++) {
                  events.output(PerfEventArray.CURRENT_CPU, i, record(i));
                }
              });
    }
    AtomicLong records = new AtomicLong();
    PerfEventArray.Visitor count = (_, _, _, _, _, _) -> records.incrementAndGet();
    while (records.get() + reader.lost() < (long) writers * each) {
      assertThat(awake.tryAcquire(10, TimeUnit.SECONDS))
          .as("woken with " + records + " of " + writers * each + " records seen")
          .isTrue();
      while (reader.read(count)) {
        // The next one.
      }
    }
  }
}
