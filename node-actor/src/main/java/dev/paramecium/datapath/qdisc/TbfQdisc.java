package dev.paramecium.datapath.qdisc;

import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.datapath.underlay.Segmentation;
import dev.paramecium.syscall.Impairment.Tbf;
import java.util.ArrayDeque;

/**
 * {@code tbf_enqueue} and {@code tbf_dequeue} of {@code net/sched/sch_tbf.c}: a packet leaves when
 * the bucket holds its length, and the second one of a peak rate, too. A segment larger than the
 * bucket goes as the packets that it stands for; a packet larger than the bucket is dropped.
 */
final class TbfQdisc implements Qdisc {

  private static final double NANOS = 1e9;

  private final Tbf tbf;
  private final SkBuffPool pool;
  private final ArrayDeque<SkBuff> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private double tokens;
  private double peakTokens;
  private long tokensAtNanos;

  TbfQdisc(Tbf tbf, long nowNanos, SkBuffPool pool) {
    this.tbf = tbf;
    this.pool = pool;
    this.tokens = tbf.burst();
    this.peakTokens = tbf.peakBurst();
    this.tokensAtNanos = nowNanos;
  }

  @Override
  public void take(SkBuff packet, long nowNanos, Exit exit) {
    if (packet.length <= tbf.largest()) {
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
      exit.drop(packet, "tbf burst " + tbf.largest());
    }
    release(nowNanos, exit);
  }

  private void queue(SkBuff packet, Exit exit) {
    if (packet.length > tbf.largest()) {
      exit.drop(packet, "tbf burst " + tbf.largest());
    } else if (waitingBytes + packet.length > tbf.limit()) {
      exit.drop(packet, "tbf limit " + tbf.limit());
    } else {
      waiting.add(packet);
      waitingBytes += packet.length;
    }
  }

  @Override
  public long release(long nowNanos, Exit exit) {
    long passed = nowNanos - tokensAtNanos;
    tokens = filled(tokens, passed, tbf.bytesPerSecond(), tbf.burst());
    peakTokens = filled(peakTokens, passed, tbf.peakBytesPerSecond(), tbf.peakBurst());
    tokensAtNanos = nowNanos;
    for (SkBuff first = waiting.peek(); first != null; first = waiting.peek()) {
      long wait = nanosUntil(first.length - tokens, tbf.bytesPerSecond());
      if (tbf.peakBytesPerSecond() > 0) {
        wait = Math.max(wait, nanosUntil(first.length - peakTokens, tbf.peakBytesPerSecond()));
      }
      if (wait > 0) {
        return nowNanos + wait;
      }
      tokens -= first.length;
      peakTokens -= first.length;
      waitingBytes -= first.length;
      waiting.remove();
      exit.pass(first);
    }
    return NOTHING_DUE;
  }

  private static double filled(double tokens, long nanos, long bytesPerSecond, long size) {
    return Math.min((double) size, tokens + nanos * (bytesPerSecond / NANOS));
  }

  private static long nanosUntil(double missing, long bytesPerSecond) {
    return missing > 0 ? (long) Math.ceil(missing * NANOS / bytesPerSecond) : 0;
  }

  @Override
  public void drain(Exit exit) {
    waiting.forEach(packet -> exit.drop(packet, "the fault ended"));
    waiting.clear();
    waitingBytes = 0;
  }
}
