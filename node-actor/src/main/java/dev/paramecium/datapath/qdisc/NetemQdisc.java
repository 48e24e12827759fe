package dev.paramecium.datapath.qdisc;

import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.datapath.underlay.Segmentation;
import dev.paramecium.syscall.Impairment.Chance;
import dev.paramecium.syscall.Impairment.Netem;
import org.jspecify.annotations.Nullable;

/**
 * {@code netem_enqueue} and {@code netem_dequeue} of {@code net/sched/sch_netem.c}.
 *
 * <pre>
 *   repeat? --&gt; lose? --&gt; corrupt a bit? --&gt; full? --&gt; overtake, or hold back for delay ± jitter
 * </pre>
 *
 * A segment larger than the MTU is one packet here, too, except for corruption, which hits one of
 * the packets that it stands for.
 */
final class NetemQdisc implements Qdisc {

  /** netem's own default. */
  static final int LIMIT = 1000;

  private final Netem netem;
  private final RandomSource random;
  private final SkBuffPool pool;
  private final CorrelatedRandom loss;
  private final CorrelatedRandom duplicate;
  private final CorrelatedRandom corrupt;
  private final CorrelatedRandom reorder;
  private final CorrelatedRandom jitter;
  private final PacketHeap held = new PacketHeap();
  private int counter;

  NetemQdisc(Netem netem, RandomSource random, SkBuffPool pool) {
    this.netem = netem;
    this.random = random;
    this.pool = pool;
    this.loss = new CorrelatedRandom(netem.loss(), random);
    this.duplicate = new CorrelatedRandom(netem.duplicate(), random);
    this.corrupt = new CorrelatedRandom(netem.corrupt(), random);
    this.reorder = new CorrelatedRandom(netem.reorder(), random);
    this.jitter = new CorrelatedRandom(new Chance(100, netem.delayCorrelation()), random);
  }

  @Override
  public void take(SkBuff packet, long nowNanos, Exit exit) {
    boolean twice = duplicate.happens();
    boolean lost = loss.happens();
    if (lost && !twice) {
      exit.drop(packet, "netem loss " + percent(netem.loss()));
      return;
    }
    if (twice && !lost) {
      SkBuff copy = copyOf(packet);
      if (copy != null) {
        takeOnce(copy, nowNanos, exit);
      }
    }
    change(packet, nowNanos, exit);
  }

  /** The copy of a packet is not repeated again; it may be lost. */
  private void takeOnce(SkBuff copy, long nowNanos, Exit exit) {
    if (loss.happens()) {
      exit.drop(copy, "netem loss " + percent(netem.loss()));
    } else {
      change(copy, nowNanos, exit);
    }
  }

  private static String percent(Chance chance) {
    double percent = chance.percent();
    return (percent == Math.rint(percent)
            ? Long.toString((long) percent)
            : Double.toString(percent))
        + "%";
  }

  private @Nullable SkBuff copyOf(SkBuff packet) {
    boolean isLarge = packet.length > SkBuffPool.DEFAULT_CAPACITY - SkBuff.HEADROOM;
    SkBuff copy = isLarge && pool.hasLarge() ? pool.takeLarge() : pool.take();
    if (copy == null || packet.length > copy.bytes.length - SkBuff.HEADROOM) {
      if (copy != null) {
        pool.release(copy);
      }
      return null;
    }
    copy.setBytes(packet.bytes, packet.head, packet.length);
    copy.hash = packet.hash;
    copy.mark = packet.mark;
    copy.traced = packet.traced;
    copy.gsoSize = packet.gsoSize;
    copy.checksumVerified = packet.checksumVerified;
    return copy;
  }

  private void change(SkBuff packet, long nowNanos, Exit exit) {
    if (!corrupt.happens()) {
      schedule(packet, nowNanos, exit);
    } else if (packet.gsoSize > 0) {
      int count = Segmentation.count(packet);
      for (int i = 0; i < count; i++) {
        SkBuff segment = Segmentation.packet(packet, i, pool);
        if (segment != null) {
          if (i == 0) {
            flipABit(segment);
          }
          schedule(segment, nowNanos, exit);
        }
      }
      pool.release(packet);
    } else {
      flipABit(packet);
      schedule(packet, nowNanos, exit);
    }
  }

  private void flipABit(SkBuff packet) {
    int at = Integer.remainderUnsigned(random.nextInt(), packet.length);
    packet.setU8(at, packet.u8(at) ^ 1 << Integer.remainderUnsigned(random.nextInt(), 8));
    packet.checksumVerified = false;
  }

  private void schedule(SkBuff packet, long nowNanos, Exit exit) {
    if (held.size() >= LIMIT) {
      exit.drop(packet, "netem limit " + LIMIT);
    } else if (netem.gap() == 0 || counter < netem.gap() - 1 || reorder.exceeded()) {
      counter++;
      long delay = delay();
      if (delay <= 0 && held.size() == 0) {
        exit.pass(packet);
      } else {
        held.add(packet, nowNanos + delay);
      }
    } else {
      counter = 0;
      exit.pass(packet);
    }
  }

  /** {@code tabledist} without a table. */
  private long delay() {
    if (netem.jitterNanos() == 0) {
      return netem.delayNanos();
    }
    // 32 random bits, stretched over twice the jitter: a jitter may be longer than 2^32 ns.
    long spread = Math.unsignedMultiplyHigh(jitter.next() << 32, 2 * netem.jitterNanos());
    return netem.delayNanos() + spread - netem.jitterNanos();
  }

  @Override
  public long release(long nowNanos, Exit exit) {
    while (held.firstNanos() <= nowNanos) {
      SkBuff packet = held.poll();
      if (packet != null) {
        exit.pass(packet);
      }
    }
    return held.firstNanos();
  }

  @Override
  public void drain(Exit exit) {
    for (SkBuff packet = held.poll(); packet != null; packet = held.poll()) {
      exit.drop(packet, "the fault ended");
    }
  }
}
