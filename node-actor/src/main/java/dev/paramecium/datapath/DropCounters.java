package dev.paramecium.datapath;

import dev.paramecium.bpf.PacketBatch;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLongArray;

/** A node's drops by {@link DatapathDrop}: the one exit for packets that the kernel gives up on. */
public final class DropCounters {

  private static final DatapathDrop[] REASONS = DatapathDrop.values();

  private final SkBuffPool pool;
  private final AtomicLongArray counts = new AtomicLongArray(REASONS.length);

  public DropCounters(SkBuffPool pool) {
    this.pool = pool;
  }

  /** Ends a packet. */
  public void drop(DatapathDrop reason, SkBuff packet) {
    counts.getAndIncrement(reason.ordinal());
    pool.release(packet);
  }

  /** Ends a batch with the packets in it. */
  public void drop(DatapathDrop reason, PacketBatch batch) {
    counts.getAndAdd(reason.ordinal(), batch.size());
    pool.releaseWithPackets(batch);
  }

  /** Ends a batch whose drop is counted elsewhere: by the queue that had no room. */
  void release(PacketBatch batch) {
    pool.releaseWithPackets(batch);
  }

  /** Counts packets that never got a buffer. */
  public void count(DatapathDrop reason, int packets) {
    counts.getAndAdd(reason.ordinal(), packets);
  }

  public long count(DatapathDrop reason) {
    return counts.get(reason.ordinal());
  }

  /** Every reason's count as {@code drop_NAME}. */
  public Map<String, Long> snapshot() {
    Map<String, Long> all = new TreeMap<>();
    for (DatapathDrop reason : REASONS) {
      all.put("drop_" + reason.counter(), counts.get(reason.ordinal()));
    }
    return all;
  }
}
