package dev.paramecium.datapath.qdisc;

import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.datapath.underlay.Segmentation;
import dev.paramecium.syscall.Impairment.Tbf;
import java.util.ArrayDeque;

/**
 * {@code tbf_enqueue} and {@code tbf_dequeue} of {@code net/sched/sch_tbf.c}: a packet leaves when
 * the bucket holds its length. A segment larger than the bucket goes as the packets that it stands
 * for; a packet larger than the bucket is dropped.
 */
final class TbfQdisc implements Qdisc {

  private static final double NANOS = 1e9;

  private final Tbf tbf;
  private final SkBuffPool pool;
  private final ArrayDeque<SkBuff> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private double tokens;
  private long tokensAtNanos;

  TbfQdisc(Tbf tbf, long nowNanos, SkBuffPool pool) {
    this.tbf = tbf;
    this.pool = pool;
    this.tokens = tbf.burst();
    this.tokensAtNanos = nowNanos;
  }

  @Override
  public void take(SkBuff packet, long nowNanos, Exit exit) {
    if (packet.length <= tbf.burst()) {
      queue(packet, exit);
    } else if (packet.gsoSize > 0) {
      int count = Segmentation.count(packet);
      for (int i = 0; i < count; i++) {
        SkBuff segment = Segmentation.packet(packet, i, pool);
        if (segment != null) {
          queue(segment, exit);
        }
      }
      pool.release(packet);
    } else {
      exit.drop(packet, "tbf burst " + tbf.burst());
    }
    release(nowNanos, exit);
  }

  private void queue(SkBuff packet, Exit exit) {
    if (packet.length > tbf.burst()) {
      exit.drop(packet, "tbf burst " + tbf.burst());
    } else if (waitingBytes + packet.length > tbf.limit()) {
      exit.drop(packet, "tbf limit " + tbf.limit());
    } else {
      waiting.add(packet);
      waitingBytes += packet.length;
    }
  }

  @Override
  public long release(long nowNanos, Exit exit) {
    tokens =
        Math.min(
            (double) tbf.burst(),
            tokens + (nowNanos - tokensAtNanos) * (tbf.bytesPerSecond() / NANOS));
    tokensAtNanos = nowNanos;
    for (SkBuff first = waiting.peek(); first != null; first = waiting.peek()) {
      double missing = first.length - tokens;
      if (missing > 0) {
        return nowNanos + (long) Math.ceil(missing * NANOS / tbf.bytesPerSecond());
      }
      tokens -= first.length;
      waitingBytes -= first.length;
      waiting.remove();
      exit.pass(first);
    }
    return NOTHING_DUE;
  }

  @Override
  public void drain(Exit exit) {
    waiting.forEach(packet -> exit.drop(packet, "the fault ended"));
    waiting.clear();
    waitingBytes = 0;
  }
}
