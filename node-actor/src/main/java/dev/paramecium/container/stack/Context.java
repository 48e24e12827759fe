package dev.paramecium.container.stack;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.socket.SocketHooks;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What every layer of one stack shares: time, chance, buffers, timers, counters, late calls. */
final class Context {

  static final long MILLISECOND = 1_000_000L;
  static final long SECOND = 1_000_000_000L;

  final RandomSource random;
  final Timers timers = new Timers();

  /** Calls into processes that a socket call caused; they run when the socket call is over. */
  final ArrayDeque<Runnable> deferred = new ArrayDeque<>();

  /** The time of the event that is being handled, on {@link Clock#nanos}. */
  long now;

  /** What the cgroup's programs say to socket calls. */
  final SocketHooks hooks;

  /** Runs a task on the namespace's actor, from any thread. */
  final Executor executor;

  private final Clock clock;
  private final SkBuffPool pool;
  private final long[] counters = new long[Counter.values().length];

  Context(Clock clock, RandomSource random, SkBuffPool pool, SocketHooks hooks, Executor executor) {
    this.clock = clock;
    this.random = random;
    this.pool = pool;
    this.hooks = hooks;
    this.executor = executor;
    this.now = clock.nanos();
  }

  /** Reads the clock; every way into the stack starts with it. */
  void tick() {
    now = clock.nanos();
  }

  /** An empty buffer, or null, counted, if the node's pool is exhausted. */
  @Nullable SkBuff take() {
    SkBuff buffer = pool.take();
    if (buffer == null) {
      count(Counter.DROP_NO_BUFFER);
    }
    return buffer;
  }

  /** An empty buffer for a segment larger than an MTU, or null. */
  @Nullable SkBuff takeLarge() {
    return pool.takeLarge();
  }

  /** Whether there are buffers for segments larger than an MTU. */
  boolean hasLarge() {
    return pool.hasLarge();
  }

  void release(SkBuff buffer) {
    pool.release(buffer);
  }

  /** Bytes that an IPv4 datagram may have to fit, with its Ethernet header, into one buffer. */
  int largestDatagram() {
    return pool.maxPacketLength() - Headers.ETHERNET;
  }

  void count(Counter counter) {
    counters[counter.ordinal()]++;
  }

  void count(Counter counter, long by) {
    counters[counter.ordinal()] += by;
  }

  long value(Counter counter) {
    return counters[counter.ordinal()];
  }

  /** A uniformly random number from 0 to {@code bound - 1}. */
  int random(int bound) {
    return (int) ((random.nextInt() & 0xffff_ffffL) * bound >>> 32);
  }
}
