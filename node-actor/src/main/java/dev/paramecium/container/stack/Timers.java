package dev.paramecium.container.stack;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A stack's timers: a binary heap in which setting a timer to a later time, or disarming it, only
 * writes a field. A retransmission timer moves with every acknowledgement and almost never fires,
 * so the heap is put right when the entry comes up, not before.
 */
final class Timers {

  static final long NONE = Long.MAX_VALUE;

  /** A timer that can be set again and again. Fires once per setting. */
  static final class Timer {
    private final Runnable action;
    private long deadline = NONE;
    private long queuedAt;
    private long order;
    private int slot = -1;

    Timer(Runnable action) {
      this.action = action;
    }

    boolean isSet() {
      return deadline != NONE;
    }

    long deadline() {
      return deadline;
    }
  }

  private @Nullable Timer[] heap = new @Nullable Timer[16];
  private int size;
  private long nextOrder;

  /** Sets or moves a timer. */
  void set(Timer timer, long deadline) {
    timer.deadline = deadline;
    if (timer.slot < 0) {
      timer.queuedAt = deadline;
      timer.order = nextOrder++;
      if (size == heap.length) {
        heap = Arrays.copyOf(heap, size * 2);
      }
      size++;
      up(size - 1, timer);
    } else if (deadline < timer.queuedAt) {
      timer.queuedAt = deadline;
      timer.order = nextOrder++;
      up(timer.slot, timer);
    }
  }

  /** Disarms; the entry leaves the heap when its old time comes. */
  void clear(Timer timer) {
    timer.deadline = NONE;
  }

  /** Disarms and forgets at once: for a timer whose owner goes away. */
  void remove(Timer timer) {
    timer.deadline = NONE;
    if (timer.slot >= 0) {
      removeAt(timer.slot);
    }
  }

  void removeAll() {
    for (int i = 0; i < size; i++) {
      Timer timer = at(i);
      timer.deadline = NONE;
      timer.slot = -1;
      heap[i] = null;
    }
    size = 0;
  }

  /** Not later than the first deadline; {@link #NONE} if no timer is set. */
  long next() {
    while (size > 0) {
      Timer first = at(0);
      if (first.deadline == NONE) {
        removeAt(0);
      } else if (first.deadline > first.queuedAt) {
        requeueFirst(first);
      } else {
        return first.queuedAt;
      }
    }
    return NONE;
  }

  /**
   * Fires what is due. A timer that is set for a time that has passed by an action of this run
   * fires in the next run, so that no action can hold the stack.
   */
  void run(long now) {
    long end = nextOrder;
    while (size > 0) {
      Timer first = at(0);
      if (first.queuedAt > now) {
        return;
      }
      if (first.deadline == NONE) {
        removeAt(0);
      } else if (first.deadline > first.queuedAt) {
        requeueFirst(first);
      } else if (first.order >= end) {
        return;
      } else {
        removeAt(0);
        first.deadline = NONE;
        first.action.run();
      }
    }
  }

  /** Timers that are set; walks them all. */
  int pending() {
    int pending = 0;
    for (int i = 0; i < size; i++) {
      if (at(i).deadline != NONE) {
        pending++;
      }
    }
    return pending;
  }

  private void requeueFirst(Timer timer) {
    timer.queuedAt = timer.deadline;
    down(0, timer);
  }

  private void removeAt(int slot) {
    at(slot).slot = -1;
    size--;
    Timer last = at(size);
    heap[size] = null;
    if (slot < size) {
      down(slot, last);
      if (last.slot == slot) {
        up(slot, last);
      }
    }
  }

  private void up(int slot, Timer timer) {
    while (slot > 0) {
      int parent = (slot - 1) >>> 1;
      Timer above = at(parent);
      if (!before(timer, above)) {
        break;
      }
      place(slot, above);
      slot = parent;
    }
    place(slot, timer);
  }

  private void down(int slot, Timer timer) {
    while (true) {
      int child = 2 * slot + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && before(at(child + 1), at(child))) {
        child++;
      }
      if (!before(at(child), timer)) {
        break;
      }
      place(slot, at(child));
      slot = child;
    }
    place(slot, timer);
  }

  private void place(int slot, Timer timer) {
    heap[slot] = timer;
    timer.slot = slot;
  }

  private Timer at(int slot) {
    Timer timer = heap[slot];
    if (timer == null) {
      throw new IllegalStateException("timer heap slot " + slot + " of " + size + " is empty");
    }
    return timer;
  }

  private static boolean before(Timer a, Timer b) {
    return a.queuedAt != b.queuedAt ? a.queuedAt < b.queuedAt : a.order < b.order;
  }
}
