package dev.paramecium.datapath.underlay;

import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * An underlay that loses, repeats and reorders what it is given to send: another underlay with a
 * bad cable in front of it. What it does follows from its random source's seed.
 *
 * <pre>
 *   eth0 --send--&gt; lose? repeat? hold back? --&gt; the underlay inside
 *   eth0 &lt;------------------------------------- the underlay inside
 * </pre>
 *
 * A frame that is held back goes after the next one, or with the next batch.
 */
public final class FaultyUnderlay implements Underlay {

  /**
   * How bad the cable is, each in frames of a thousand.
   *
   * @param loss frames that vanish
   * @param duplication frames that are sent twice
   * @param reordering frames that are overtaken
   */
  public record Faults(int loss, int duplication, int reordering) {

    private static final int OF = 1000;

    public Faults {
      for (int share : new int[] {loss, duplication, reordering}) {
        if (share < 0 || share > OF) {
          throw new IllegalArgumentException(
              "a fault's share of " + share + " in a thousand: use 0 to " + OF);
        }
      }
    }
  }

  private final Underlay inside;
  private final Faults faults;
  private final RandomSource random;
  private final SkBuffPool pool;
  private final LongAdder lost = new LongAdder();
  private final LongAdder repeated = new LongAdder();
  private final LongAdder overtaken = new LongAdder();
  private @Nullable SkBuff held;

  /**
   * @param random only the sender draws from it
   * @param pool where the frames come from
   */
  public FaultyUnderlay(Underlay inside, Faults faults, RandomSource random, SkBuffPool pool) {
    this.inside = inside;
    this.faults = faults;
    this.random = random;
    this.pool = pool;
  }

  @Override
  public void start(Receiver receiver) {
    inside.start(receiver);
  }

  @Override
  public int sourcePort(int flowHash) {
    return inside.sourcePort(flowHash);
  }

  @Override
  public void send(PacketBatch frames) {
    Outgoing out = new Outgoing();
    for (int i = 0; i < frames.size(); i++) {
      SkBuff frame = frames.get(i);
      if (happens(faults.loss())) {
        lost.increment();
        pool.release(frame);
        continue;
      }
      if (held == null && happens(faults.reordering())) {
        overtaken.increment();
        held = frame;
        continue;
      }
      SkBuff copy = happens(faults.duplication()) ? copyOf(frame) : null;
      out.add(frame);
      if (copy != null) {
        repeated.increment();
        out.add(copy);
      }
      SkBuff late = held;
      if (late != null) {
        held = null;
        out.add(late);
      }
    }
    frames.clear();
    pool.release(frames);
    out.flush();
  }

  private boolean happens(int share) {
    return share > 0 && Integer.remainderUnsigned(random.nextInt(), Faults.OF) < share;
  }

  private @Nullable SkBuff copyOf(SkBuff frame) {
    SkBuff copy = pool.take();
    if (copy != null) {
      copy.setBytes(frame.bytes, frame.head, frame.length);
      copy.hash = frame.hash;
    }
    return copy;
  }

  /** What leaves, in batches that may be more than what came. */
  private final class Outgoing {
    private PacketBatch batch = pool.takeBatch();

    void add(SkBuff frame) {
      if (batch.isFull()) {
        inside.send(batch);
        batch = pool.takeBatch();
      }
      batch.add(frame);
    }

    void flush() {
      if (batch.isEmpty()) {
        pool.release(batch);
      } else {
        inside.send(batch);
      }
    }
  }

  @Override
  public String kind() {
    return "faulty " + inside.kind();
  }

  @Override
  public Map<String, Long> counters() {
    Map<String, Long> counters = new TreeMap<>(inside.counters());
    counters.put("fault_lost", lost.sum());
    counters.put("fault_repeated", repeated.sum());
    counters.put("fault_overtaken", overtaken.sum());
    counters.put("fault_held", held == null ? 0L : 1L);
    return counters;
  }

  /** Also ends a frame that is held back; called when nothing is sent any more. */
  @Override
  public void close() {
    inside.close();
    SkBuff late = held;
    if (late != null) {
      held = null;
      pool.release(late);
    }
  }
}
