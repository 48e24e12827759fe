package dev.paramecium.datapath.underlay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One thread for tasks and sockets: neither keeps the other waiting. */
final class DatapathLoopTest {

  private final DatapathLoop loop = new DatapathLoop(Thread.ofPlatform().factory());

  @AfterEach
  void shutDown() throws InterruptedException {
    loop.shutdown();
    assertThat(loop.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
  }

  /** A source that has something whenever its counter says so. */
  private static final class Counting implements DatapathLoop.Source {
    final AtomicInteger waiting = new AtomicInteger();
    final AtomicInteger taken = new AtomicInteger();
    final CompletableFuture<Thread> ended = new CompletableFuture<>();

    @Override
    public int[] descriptors() {
      return new int[0];
    }

    @Override
    public boolean poll(boolean all) {
      int count = waiting.getAndSet(0);
      taken.addAndGet(count);
      return count > 0;
    }

    @Override
    public void ended() {
      ended.complete(Thread.currentThread());
    }
  }

  @Test
  void runsTasksInTheirOrderOnOneThread() {
    List<Integer> order = new CopyOnWriteArrayList<>();
    List<Thread> threads = new CopyOnWriteArrayList<>();
    for (int i = 0; i < 100; i++) {
      int number = i;
      loop.execute(
          () -> {
            threads.add(Thread.currentThread());
            order.add(number);
          });
    }
    await().until(() -> order.size() == 100);
    assertThat(order).isSorted();
    assertThat(threads).containsOnly(threads.getFirst());
  }

  @Test
  void aTaskThatFailsDoesNotEndTheOthers() {
    CompletableFuture<Boolean> after = new CompletableFuture<>();
    loop.execute(
        () -> {
          throw new IllegalStateException("thrown by a test");
        });
    loop.execute(() -> after.complete(true));
    assertThat(after.join()).isTrue();
  }

  @Test
  void aSourceIsPolledWhileTasksNeverEnd() {
    Counting source = new Counting();
    loop.execute(() -> loop.add(source));
    loop.execute(this::again);
    source.waiting.set(3);
    await().until(() -> source.taken.get() == 3);
  }

  private void again() {
    if (!loop.isShutdown()) {
      loop.execute(this::again);
    }
  }

  @Test
  void aTaskFromAnotherThreadWakesALoopThatSleepsAtItsSources() throws Exception {
    Counting source = new Counting();
    CompletableFuture<DatapathLoop> seen = new CompletableFuture<>();
    loop.execute(() -> loop.add(source));
    for (int i = 0; i < 200; i++) {
      CompletableFuture<Boolean> ran = new CompletableFuture<>();
      loop.execute(() -> ran.complete(true));
      assertThat(ran.get(5, TimeUnit.SECONDS)).isTrue();
    }
    loop.execute(() -> seen.complete(DatapathLoop.current()));
    assertThat(seen.join()).isSameAs(loop);
    assertThat(DatapathLoop.current()).isNull();
  }

  @Test
  void aSourceThatIsTakenAwayIsToldOnTheLoopsThread() throws Exception {
    Counting source = new Counting();
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    loop.execute(() -> thread.complete(Thread.currentThread()));
    loop.execute(() -> loop.add(source));
    loop.remove(source);
    assertThat(source.ended.get(5, TimeUnit.SECONDS)).isSameAs(thread.join());
  }

  @Test
  void shuttingDownRunsWhatWaitsEndsTheSourcesAndTakesNothingMore() throws Exception {
    Counting source = new Counting();
    AtomicInteger ran = new AtomicInteger();
    loop.execute(() -> loop.add(source));
    for (int i = 0; i < 1000; i++) {
      loop.execute(ran::incrementAndGet);
    }
    loop.shutdown();
    assertThat(loop.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
    assertThat(ran).hasValue(1000);
    assertThat(source.ended).isCompleted();
    assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
  }
}
