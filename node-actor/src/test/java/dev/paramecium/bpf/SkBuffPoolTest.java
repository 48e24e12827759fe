package dev.paramecium.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

final class SkBuffPoolTest {

  @Test
  void givesNoMoreThanItsLimitAndWhatCameBackAgain() {
    SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 3);
    Set<SkBuff> taken = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int i = 0; i < 3; i++) {
      taken.add(pool.take());
    }
    assertThat(taken).hasSize(3).doesNotContainNull();
    assertThat(pool.take()).isNull();
    assertThat(pool.inUse()).isEqualTo(3);

    SkBuff back = taken.iterator().next();
    pool.release(back);
    assertThat(pool.inUse()).isEqualTo(2);
    assertThat(pool.take()).isSameAs(back);
  }

  @Test
  void aTakenPacketIsEmptyWhateverItWasBefore() {
    SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 1);
    SkBuff packet = pool.take();
    packet.setBytes(new byte[100], 0, 100);
    packet.push(50);
    packet.mark = 0xf00;
    packet.cb4 = 4;
    packet.tailCalls = 33;
    packet.hasTunnelKey = true;
    packet.traced = true;
    pool.release(packet);

    SkBuff again = pool.take();
    assertThat(again).isSameAs(packet);
    assertThat(again.length).isZero();
    assertThat(again.head).isEqualTo(SkBuff.HEADROOM);
    assertThat(again.mark).isZero();
    assertThat(again.cb4).isZero();
    assertThat(again.tailCalls).isZero();
    assertThat(again.hasTunnelKey).isFalse();
    assertThat(again.traced).isFalse();
  }

  @Test
  void aSecondReleaseIsFoundOut() {
    SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 4);
    SkBuff packet = pool.take();
    pool.release(packet);
    assertThatThrownBy(() -> pool.release(packet))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("twice");
    assertThat(pool.inUse()).isZero();
  }

  @Test
  void aPacketOfAnotherPoolIsRefused() {
    SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 4);
    SkBuff stranger = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 4).take();
    assertThatThrownBy(() -> pool.release(stranger)).hasMessageContaining("does not come from");
  }

  @Test
  void threadsThatPassPacketsToOneAnotherNeverShareOneAndLoseNone() throws Exception {
    int limit = 256;
    SkBuffPool pool = new SkBuffPool(256, limit);
    BlockingQueue<SkBuff> passed = new ArrayBlockingQueue<>(limit);
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<?>> running = new ArrayList<>();
      for (int producer = 1; producer <= 2; producer++) {
        int owner = producer;
        running.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 100_000; i++) {
                    SkBuff packet = pool.take();
                    if (packet == null) {
                      Thread.onSpinWait();
                      continue;
                    }
                    assertThat(packet.mark).isZero();
                    packet.mark = owner;
                    packet.setBytes(new byte[] {(byte) owner}, 0, 1);
                    if ((i & 3) == 0) {
                      passed.put(packet);
                    } else {
                      assertThat(packet.mark).isEqualTo(owner);
                      pool.release(packet);
                    }
                  }
                  passed.put(poison());
                  return null;
                }));
        running.add(
            threads.submit(
                () -> {
                  SkBuff packet = passed.take();
                  while (packet.pool == pool) {
                    assertThat(packet.u8(0)).isEqualTo(packet.mark);
                    pool.release(packet);
                    packet = passed.take();
                  }
                  return null;
                }));
      }
      for (Future<?> thread : running) {
        thread.get();
      }
    }
    for (SkBuff packet : passed) {
      pool.release(packet);
    }
    assertThat(pool.inUse()).isZero();
    Set<SkBuff> all = Collections.newSetFromMap(new IdentityHashMap<>());
    for (SkBuff packet = pool.take(); packet != null; packet = pool.take()) {
      assertThat(all.add(packet)).as("a packet that two owners would get").isTrue();
    }
    assertThat(all).hasSize(limit);
  }

  /** A packet of no pool in use, which ends a consumer. */
  private static SkBuff poison() {
    return new SkBuff(new SkBuffPool(256, 1), 0, 256);
  }

  @Test
  void aBatchCarriesUpTo64PacketsAndComesBackEmpty() {
    SkBuffPool pool = new SkBuffPool(256, 100);
    PacketBatch batch = pool.takeBatch();
    assertThat(batch.isEmpty()).isTrue();
    while (!batch.isFull()) {
      batch.add(pool.take());
    }
    assertThat(batch.size()).isEqualTo(64);
    assertThatThrownBy(() -> batch.add(pool.take())).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> pool.release(batch)).hasMessageContaining("64 packets");

    pool.releaseWithPackets(batch);

    assertThat(pool.inUse()).as("only the packet that did not fit").isEqualTo(1);
    assertThatThrownBy(() -> pool.release(batch)).hasMessageContaining("twice");
    assertThat(pool.takeBatch()).isSameAs(batch);
    assertThatThrownBy(() -> batch.get(0)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void moreBatchesThanAreKeptAreNoFault() {
    SkBuffPool pool = new SkBuffPool(256, 1);
    List<PacketBatch> out = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      out.add(pool.takeBatch());
    }
    Set<PacketBatch> different = Collections.newSetFromMap(new IdentityHashMap<>());
    different.addAll(out);
    assertThat(different).hasSize(3000);
    out.forEach(pool::release);
  }
}
