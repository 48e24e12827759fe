package dev.paramecium.datapath.underlay;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.paramecium.bpf.Clock;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The thread that a node's datapath runs on: actors' mailboxes and the underlay's sockets in turn,
 * as a kernel's softirq takes its backlog and its drivers' rings. A packet's way over the node is
 * never handed from thread to thread.
 *
 * <pre>
 *   run up to BUDGET tasks --&gt; poll the sockets --&gt; anything done? again : spin a little, then sleep
 *        ^ execute() by itself: a queue of its own          ^ poll(2) on the sockets and an eventfd
 *        ^ execute() by others: a queue and, if it sleeps, the eventfd
 * </pre>
 *
 * It spins before it sleeps for as long as that pays: after a packet came while it did. Looks that
 * find nothing cost a system call each, so that it looks once before it sleeps: poll(2) looks
 * again. What comes while it runs waits in the sockets' buffers, not in the node's.
 */
public final class DatapathLoop extends AbstractExecutorService {

  /** What brings work from outside; called on the loop's thread only. */
  interface Source {

    /** Descriptors that are readable when there is something. */
    int[] descriptors();

    /**
     * Takes what is there and never waits.
     *
     * @param all whether to look at the descriptors that seldom have something, too
     * @return whether anything was there
     */
    boolean poll(boolean all);

    /** The loop looks no more. */
    void ended();
  }

  /** Tasks between two looks at the sockets; a packet on its way over a node takes about ten. */
  private static final int BUDGET = 128;

  /** Every so many looks go at all descriptors, not only at the busy ones. */
  private static final int LOOK_AT_ALL_MASK = 15;

  /** How long to look for packets before sleeping; what waking a thread up costs. */
  private static final long SPIN_NS = 30_000;

  /** After so many useless spins in a row, one is tried only now and then. */
  private static final int PATIENCE = 4;

  private static final int RETRY_MASK = 63;

  private static final int POLLFD = 8;
  private static final int POLLFD_EVENTS = 4;
  private static final int POLLFD_RETURNED = 6;

  private static final ThreadLocal<@Nullable DatapathLoop> CURRENT = new ThreadLocal<>();

  private final Clock clock = Clock.system();
  private final Thread thread;
  private final ArrayDeque<Runnable> own = new ArrayDeque<>();
  private final Queue<Runnable> submitted = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean asleep = new AtomicBoolean();
  private final CountDownLatch terminated = new CountDownLatch(1);
  private final List<Source> sources = new ArrayList<>();
  private final Arena arena = Arena.ofAuto();
  private final MemorySegment wakeCount = arena.allocate(Long.BYTES, Long.BYTES);
  private volatile boolean shutdown;

  // For sleeping in poll(2); made when the first source comes.
  private @Nullable MemorySegment sleeperCapture;
  private @Nullable MemorySegment pollFds;
  private volatile int wakeFd = -1;

  private int looks;
  private int uselessSpins;
  private int sleeps;

  /** A loop on a thread of its own, which starts at once. */
  public DatapathLoop(ThreadFactory threads) {
    thread = threads.newThread(this::run);
    thread.start();
  }

  /** The loop whose thread calls, or null. */
  static @Nullable DatapathLoop current() {
    return CURRENT.get();
  }

  /** Looks at a source from now on; on the loop's thread. */
  void add(Source source) {
    sources.add(source);
    watch();
  }

  /** Looks at it no more; done when {@link Source#ended} was called. Any thread. */
  void remove(Source source) {
    try {
      execute(
          () -> {
            if (sources.remove(source)) {
              watch();
              source.ended();
            }
          });
    } catch (RejectedExecutionException _) {
      // The loop ends all of its sources when it ends.
    }
  }

  private void watch() {
    if (wakeFd < 0) {
      sleeperCapture = Libc.capture(arena);
      wakeFd = Libc.eventfd(sleeperCapture);
    }
    int count = 1;
    for (Source source : sources) {
      count += source.descriptors().length;
    }
    MemorySegment fds = arena.allocate((long) count * POLLFD, POLLFD);
    write(fds, 0, wakeFd);
    int at = 1;
    for (Source source : sources) {
      for (int descriptor : source.descriptors()) {
        write(fds, at++, descriptor);
      }
    }
    pollFds = fds;
  }

  private static void write(MemorySegment fds, int index, int descriptor) {
    fds.set(JAVA_INT, (long) index * POLLFD, descriptor);
    fds.set(JAVA_SHORT, (long) index * POLLFD + POLLFD_EVENTS, Libc.POLLIN);
  }

  @Override
  public void execute(Runnable task) {
    if (Thread.currentThread() == thread) {
      own.add(task);
      return;
    }
    if (shutdown) {
      throw new RejectedExecutionException("the datapath's loop was shut down");
    }
    submitted.add(task);
    wake();
  }

  private void wake() {
    if (asleep.get() && asleep.compareAndSet(true, false)) {
      int fd = wakeFd;
      if (fd < 0) {
        LockSupport.unpark(thread);
      } else {
        try (Arena scratch = Arena.ofConfined()) {
          Libc.eventfdWrite(Libc.capture(scratch), fd);
        }
      }
    }
  }

  private void run() {
    CURRENT.set(this);
    boolean woken = false;
    while (true) {
      runTasks();
      boolean arrived = look(false) || (woken && look(true));
      woken = false;
      if (arrived || !own.isEmpty() || !submitted.isEmpty()) {
        continue;
      }
      if (shutdown) {
        break;
      }
      if (!spin()) {
        sleep();
        woken = true;
      }
    }
    for (Source source : sources) {
      source.ended();
    }
    sources.clear();
    if (wakeFd >= 0 && sleeperCapture != null) {
      Libc.close(sleeperCapture, wakeFd);
    }
    terminated.countDown();
  }

  private void runTasks() {
    for (Runnable task = submitted.poll(); task != null; task = submitted.poll()) {
      own.add(task);
    }
    int left = BUDGET;
    for (Runnable task = own.poll(); task != null; task = own.poll()) {
      try {
        task.run();
      } catch (Throwable e) {
        // As an executor's thread would have it: the task's fault does not end the others.
        thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
      }
      if (--left == 0) {
        break;
      }
    }
  }

  private boolean look(boolean all) {
    boolean arrived = false;
    boolean everywhere = all || (++looks & LOOK_AT_ALL_MASK) == 0;
    for (int i = 0; i < sources.size(); i++) {
      arrived |= sources.get(i).poll(everywhere);
    }
    return arrived;
  }

  /** Looks on for a while; whether something came. */
  private boolean spin() {
    if (sources.isEmpty() || (uselessSpins > PATIENCE && (++sleeps & RETRY_MASK) != 0)) {
      return false;
    }
    long end = clock.nanos() + SPIN_NS;
    do {
      if (look(false)) {
        uselessSpins = 0;
        return true;
      }
      if (!submitted.isEmpty()) {
        return true;
      }
      Thread.onSpinWait();
    } while (clock.nanos() < end);
    uselessSpins++;
    return false;
  }

  private void sleep() {
    asleep.set(true);
    if (submitted.isEmpty() && !shutdown) {
      MemorySegment fds = pollFds;
      MemorySegment capture = sleeperCapture;
      if (fds == null || capture == null) {
        LockSupport.park(this);
      } else {
        Libc.poll(capture, fds, fds.byteSize() / POLLFD, -1);
        if (fds.get(JAVA_SHORT, POLLFD_RETURNED) != 0) {
          Libc.eventfdRead(capture, wakeFd, wakeCount);
        }
      }
    }
    asleep.set(false);
  }

  @Override
  public void shutdown() {
    shutdown = true;
    wake();
  }

  @Override
  public List<Runnable> shutdownNow() {
    shutdown();
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return shutdown;
  }

  @Override
  public boolean isTerminated() {
    return terminated.getCount() == 0;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return terminated.await(timeout, unit);
  }
}
