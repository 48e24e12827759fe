package dev.paramecium.datapath.qdisc;

import dev.paramecium.bpf.SkBuff;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Packets by the time at which they are due; those of one time in the order in which they came. */
final class PacketHeap {

  private long[] times = new long[16];
  private long[] numbers = new long[16];
  private @Nullable SkBuff[] packets = new SkBuff[16];
  private int size;
  private long added;

  int size() {
    return size;
  }

  /** When the first is due; {@link Qdisc#NOTHING_DUE} if there is none. */
  long firstNanos() {
    return size == 0 ? Qdisc.NOTHING_DUE : times[0];
  }

  void add(SkBuff packet, long timeNanos) {
    if (size == packets.length) {
      times = Arrays.copyOf(times, 2 * size);
      numbers = Arrays.copyOf(numbers, 2 * size);
      packets = Arrays.copyOf(packets, 2 * size);
    }
    long number = added++;
    int at = size++;
    while (at > 0 && comesBefore(timeNanos, number, (at - 1) / 2)) {
      move((at - 1) / 2, at);
      at = (at - 1) / 2;
    }
    put(at, packet, timeNanos, number);
  }

  /** Takes the first away; null if there is none. */
  @Nullable SkBuff poll() {
    if (size == 0) {
      return null;
    }
    SkBuff first = packets[0];
    size--;
    SkBuff last = packets[size];
    long time = times[size];
    long number = numbers[size];
    packets[size] = null;
    if (size > 0 && last != null) {
      int at = 0;
      for (int child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && comesBefore(times[child + 1], numbers[child + 1], child)) {
          child++;
        }
        if (comesBefore(time, number, child)) {
          break;
        }
        move(child, at);
        at = child;
      }
      put(at, last, time, number);
    }
    return first;
  }

  private boolean comesBefore(long time, long number, int other) {
    return time < times[other] || time == times[other] && number < numbers[other];
  }

  private void move(int from, int to) {
    times[to] = times[from];
    numbers[to] = numbers[from];
    packets[to] = packets[from];
  }

  private void put(int at, SkBuff packet, long time, long number) {
    times[at] = time;
    numbers[at] = number;
    packets[at] = packet;
  }
}
