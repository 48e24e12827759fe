package dev.paramecium.container.stack;

import org.jspecify.annotations.Nullable;

/** All connections in TIME-WAIT, the first to end first: one timer serves them all. */
final class TimeWaits {

  /** net.ipv4.tcp_max_tw_buckets: beyond it a connection ends without TIME-WAIT. */
  static final int LIMIT = 16_384;

  private final Context context;
  private final ConnectionTable table;
  private final Timers.Timer timer = new Timers.Timer(this::expire);
  private @Nullable TimeWait first;
  private @Nullable TimeWait last;
  private int size;

  TimeWaits(Context context, ConnectionTable table) {
    this.context = context;
    this.table = table;
  }

  int size() {
    return size;
  }

  boolean isFull() {
    return size >= LIMIT;
  }

  /** Adds to the list and the table. */
  void add(TimeWait entry) {
    table.put(entry);
    append(entry);
    if (!timer.isSet()) {
      context.timers.set(timer, entry.deadline);
    }
  }

  /** The peer's FIN came again: the 60 s start afresh. */
  void restart(TimeWait entry) {
    unlink(entry);
    entry.deadline = context.now + TimeWait.LENGTH;
    append(entry);
  }

  void remove(TimeWait entry) {
    unlink(entry);
    table.remove(entry);
  }

  void close() {
    first = null;
    last = null;
    size = 0;
    context.timers.remove(timer);
  }

  private void expire() {
    TimeWait entry = first;
    while (entry != null && entry.deadline <= context.now) {
      remove(entry);
      entry = first;
    }
    if (entry != null) {
      context.timers.set(timer, entry.deadline);
    }
  }

  private void append(TimeWait entry) {
    TimeWait before = last;
    entry.previous = before;
    entry.next = null;
    if (before == null) {
      first = entry;
    } else {
      before.next = entry;
    }
    last = entry;
    size++;
  }

  private void unlink(TimeWait entry) {
    TimeWait before = entry.previous;
    TimeWait after = entry.next;
    if (before == null) {
      first = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.previous = before;
    }
    entry.previous = null;
    entry.next = null;
    size--;
  }
}
