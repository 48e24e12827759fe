package dev.paramecium.apiserver;

import dev.paramecium.api.KubeObject;
import org.jspecify.annotations.Nullable;

/**
 * The last durable changes of one kind, each under an ordinal that counts up. Watchers hold an
 * ordinal, not a queue: a slow one costs nothing, and one that is slower than the history is long
 * has to list again.
 */
final class History {

  /**
   * One durable change.
   *
   * @param before null for a creation
   * @param after the object as written; for a deletion its last state, with the deletion's
   *     resourceVersion
   */
  record Entry(long revision, @Nullable KubeObject before, KubeObject after, boolean deleted) {}

  private final @Nullable Entry[] ring;
  private long first;
  private long next;
  private long forgottenRevision;

  /**
   * An empty history.
   *
   * @param limit how many changes are remembered
   * @param revision what was before it is not remembered
   */
  History(int limit, long revision) {
    this.ring = new Entry[limit];
    this.forgottenRevision = revision;
  }

  void add(Entry change) {
    if (next - first == ring.length) {
      forgottenRevision = at(first).revision();
      first++;
    }
    ring[(int) (next % ring.length)] = change;
    next++;
  }

  /** The change at an ordinal from {@link #first()} to before {@link #next()}. */
  Entry at(long ordinal) {
    Entry change = ring[(int) (ordinal % ring.length)];
    if (ordinal < first || ordinal >= next || change == null) {
      throw new IllegalStateException(
          "change " + ordinal + " is not among the remembered " + first + " to " + next);
    }
    return change;
  }

  /** The oldest remembered change's ordinal. */
  long first() {
    return first;
  }

  /** The ordinal that the next change will have. */
  long next() {
    return next;
  }

  /** A watch can resume after this revision, not before it. */
  long forgottenRevision() {
    return forgottenRevision;
  }

  /** The ordinal of the oldest remembered change after {@code revision}. */
  long after(long revision) {
    long low = first;
    long high = next;
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (at(middle).revision() <= revision) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
