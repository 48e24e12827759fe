package dev.paramecium.container.stack;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.process.NamespaceView.Route;
import dev.paramecium.container.socket.SocketHooks;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Wire;
import dev.paramecium.syscall.LinkInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Two stacks, joined by a link that delays, loses, doubles, swaps and damages frames by a seed, on
 * virtual time.
 *
 * <pre>
 *   a 10.0.0.1 --eth0-- [ faults, delay ] --eth0-- b 10.0.0.2
 * </pre>
 */
final class SimulatedNetwork implements Clock {

  static final int ETH0 = 2;
  static final Ipv4Address A = Ipv4Address.parse("10.0.0.1");
  static final Ipv4Address B = Ipv4Address.parse("10.0.0.2");

  /** What the link does to a frame, each with its probability. */
  record Faults(double loss, double duplicate, double reorder, double corrupt) {
    static final Faults NONE = new Faults(0, 0, 0, 0);
  }

  private record Flight(long at, long order, NetworkStack to, SkBuff frame) {}

  /** What one thread asks of another takes its time, but stays in order. */
  private record Task(long at, long order, Runnable run) {}

  final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 65_536);
  final NetworkStack a;
  final NetworkStack b;

  /** A copy of each frame that was sent, with its time, if {@link #capture} is on. */
  final List<Captured> captured = new ArrayList<>();

  /** A frame as it left a stack. */
  record Captured(long at, boolean fromA, byte[] bytes) {
    int flags() {
      return bytes[14 + 20 + 13] & 0x3f;
    }

    int seq() {
      return Wire.i32(bytes, 14 + 20 + 4);
    }

    int ack() {
      return Wire.i32(bytes, 14 + 20 + 8);
    }

    int windowField() {
      return Wire.u16(bytes, 14 + 20 + 14);
    }

    int dataLength() {
      int ip = Wire.u16(bytes, 16);
      return ip - 20 - (bytes[14 + 20 + 12] >> 4 & 0xf) * 4;
    }

    boolean isTcp() {
      return Wire.u16(bytes, 12) == 0x800 && bytes[14 + 9] == 6;
    }
  }

  boolean capture;

  /** Whether frames that arrive at one time arrive as a batch. */
  boolean batches;

  private final SkBuff[] batch = new SkBuff[64];
  Faults faults = Faults.NONE;
  long delayNs = 5_000_000;

  /** Frames that it holds for are lost. */
  Predicate<Captured> drop = _ -> false;

  private final RandomSource random;
  private final PriorityQueue<Flight> flights =
      new PriorityQueue<>(
          java.util.Comparator.comparingLong(Flight::at).thenComparingLong(Flight::order));
  private long now = 1_000_000_000_000L;
  private long order;
  private long stalledUntil;

  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(
          java.util.Comparator.comparingLong(Task::at).thenComparingLong(Task::order));

  /** Until when the tasks of each stack are late. */
  private final long[] tasksUntil = new long[2];

  SimulatedNetwork(long seed) {
    this(seed, 1450);
  }

  SimulatedNetwork(long seed, int mtu) {
    this(seed, mtu, _ -> SocketHooks.none(), _ -> SocketHooks.none());
  }

  /** With programs on the sockets of either end. */
  SimulatedNetwork(long seed, int mtu, SocketHooks.Factory hooksOfA, SocketHooks.Factory hooksOfB) {
    random = RandomSource.seeded(seed);
    a = host("a", A, B, mtu, seed + 1, hooksOfA);
    b = host("b", B, A, mtu, seed + 2, hooksOfB);
  }

  private NetworkStack host(
      String name,
      Ipv4Address address,
      Ipv4Address peer,
      int mtu,
      long seed,
      SocketHooks.Factory hooks) {
    boolean fromA = name.equals("a");
    NetworkStack stack =
        new NetworkStack(
            name,
            this,
            RandomSource.seeded(seed),
            pool,
            (ifindex, frame) -> send(fromA, frame),
            hooks,
            task -> later(fromA, task));
    stack.addInterface(
        new LinkInfo(
            ETH0,
            "eth0",
            LinkInfo.Kind.VETH,
            MacAddress.locallyAdministered(address.value()),
            mtu,
            0,
            name,
            ""),
        false);
    stack.addAddress(ETH0, address, 32);
    stack.addRoute(new Route(new Ipv4Prefix(peer, 32), null, "eth0", null, "link", "boot"), 0);
    stack.addRoute(
        new Route(new Ipv4Prefix(Ipv4Address.ANY, 0), peer, "eth0", null, "global", "boot"), 0);
    return stack;
  }

  /** Runs a task on a stack's thread, soon. */
  private void later(boolean onA, Runnable task) {
    int end = onA ? 0 : 1;
    long soon = now + (random.nextInt() >>> 1) % (3 * delayNs);
    tasksUntil[end] = Math.max(tasksUntil[end], soon);
    tasks.add(new Task(tasksUntil[end], order++, task));
  }

  private void send(boolean fromA, SkBuff frame) {
    Captured copy = new Captured(now, fromA, frame.toByteArray());
    if (capture) {
      captured.add(copy);
    }
    if (drop.test(copy)) {
      pool.release(frame);
      return;
    }
    if (frame.u16(12) == EtherType.ARP) {
      fly(fromA, frame, delayNs); // it has no checksum, and three losses are a failure
      return;
    }
    if (chance(faults.loss)) {
      pool.release(frame);
      return;
    }
    if (chance(faults.duplicate)) {
      SkBuff twin = pool.take();
      if (twin != null) {
        twin.setBytes(frame.bytes, frame.head, frame.length);
        fly(fromA, twin, delay());
      }
    }
    if (chance(faults.corrupt)) {
      int at = frame.head + (random.nextInt() >>> 1) % frame.length;
      frame.bytes[at] ^= (byte) (1 << (random.nextInt() & 7));
    }
    fly(fromA, frame, delay());
  }

  private long delay() {
    return chance(faults.reorder) ? delayNs * (2 + (random.nextInt() >>> 1) % 3) : delayNs;
  }

  private boolean chance(double probability) {
    return probability > 0 && (random.nextInt() & 0xffff_ffffL) < probability * (1L << 32);
  }

  /** Nothing arrives before that time; what is sent or on its way arrives then, in order. */
  void stallUntil(long time) {
    stalledUntil = time;
    List<Flight> late = new ArrayList<>(flights);
    late.sort(java.util.Comparator.comparingLong(Flight::at).thenComparingLong(Flight::order));
    flights.clear();
    for (Flight flight : late) {
      flights.add(new Flight(Math.max(time, flight.at()), order++, flight.to(), flight.frame()));
    }
  }

  private void fly(boolean fromA, SkBuff frame, long delay) {
    long at = Math.max(stalledUntil, now + delay);
    flights.add(new Flight(at, order++, fromA ? b : a, frame));
  }

  /** Puts bytes on the link towards {@code to}, at once. */
  void inject(NetworkStack to, byte[] bytes) {
    SkBuff frame = pool.take();
    if (frame == null) {
      throw new AssertionError("the pool is empty");
    }
    frame.setBytes(bytes, 0, bytes.length);
    to.receive(ETH0, frame);
  }

  @Override
  public long nanos() {
    return now;
  }

  @Override
  public long epochMs() {
    return 1_700_000_000_000L + now / 1_000_000;
  }

  /** The next thing to happen, {@link Long#MAX_VALUE} if nothing will. */
  private long next() {
    long timers = Math.min(a.nextDeadlineNanos(), b.nextDeadlineNanos());
    Flight first = flights.peek();
    Task task = tasks.peek();
    long asked = task == null ? timers : Math.min(timers, task.at());
    return first == null ? asked : Math.min(asked, first.at());
  }

  private void step() {
    long at = next();
    now = Math.max(now, at);
    Task task = tasks.peek();
    if (task != null && task.at() <= now) {
      tasks.remove();
      task.run().run();
      return;
    }
    Flight first = flights.peek();
    if (first != null && first.at() <= now) {
      deliver(first.to());
      return;
    }
    if (a.nextDeadlineNanos() <= now) {
      a.runTimers();
    }
    if (b.nextDeadlineNanos() <= now) {
      b.runTimers();
    }
  }

  private void deliver(NetworkStack to) {
    int count = 0;
    Flight first = flights.peek();
    while (first != null && first.at() <= now && first.to() == to && count < batch.length) {
      flights.remove();
      batch[count++] = first.frame();
      first = batches ? flights.peek() : null;
    }
    if (count == 1) {
      to.receive(ETH0, batch[0]);
    } else {
      to.receive(ETH0, batch, count);
    }
  }

  /** Lets {@code ms} milliseconds pass. */
  void run(long ms) {
    long end = now + ms * 1_000_000;
    while (next() <= end) {
      step();
    }
    now = end;
  }

  /** Runs until the condition holds; answers whether it did within {@code ms} milliseconds. */
  boolean runUntil(BooleanSupplier condition, long ms) {
    long end = now + ms * 1_000_000;
    while (!condition.getAsBoolean()) {
      if (next() > end) {
        now = end;
        return condition.getAsBoolean();
      }
      step();
    }
    return true;
  }

  long counter(NetworkStack stack, String name) {
    Long value = stack.counters().get(name);
    if (value == null) {
      throw new AssertionError("no counter " + name);
    }
    return value;
  }

  /** Ends both namespaces and what is on the link. */
  void close() {
    a.close();
    b.close();
    for (Flight flight : flights) {
      pool.release(flight.frame());
    }
    flights.clear();
  }
}
