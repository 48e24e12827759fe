package dev.paramecium.agent.reconciler;

import dev.paramecium.syscall.MapEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One map as it should be, and how far the kernel's is from it. Pure bookkeeping: {@link
 * MapReconciler} makes the calls.
 *
 * <p>Each entry is pending (not written yet), done, or failed and waiting for its next attempt. An
 * entry to delete stays until the kernel has deleted it. A batch that fails is cut in half and
 * tried again, down to the entry that is at fault, so that one bad entry holds up no other.
 */
final class DesiredMap {

  /** The most entries in one call. */
  static final int MAX_BATCH = 256;

  private static final long FIRST_RETRY_MS = 100;
  private static final long LAST_RETRY_MS = 30_000;

  /** What {@code cilium map get} says of an entry. */
  enum Status {
    PENDING,
    DONE,
    FAILED
  }

  private static final class Entry {
    @Nullable Bytes desired;
    Status status = Status.PENDING;
    long revision;
    long generation;
    int attempts;
    long retryAtMs;
    String error = "";
  }

  /** What to write in one call; {@code generations} say which wish each write fulfils. */
  record Batch(List<MapEntry> upserts, List<byte[]> deletes, Map<Bytes, Long> generations) {
    int size() {
      return generations.size();
    }

    boolean isEmpty() {
      return generations.isEmpty();
    }
  }

  /** An entry for a reader; {@code value} is null for one to delete. */
  record View(Bytes key, @Nullable Bytes value, Status status, String error) {}

  private final UnaryOperator<byte[]> comparable;
  private final Map<Bytes, Entry> entries = new TreeMap<>();
  private final Map<Bytes, Bytes> realised = new HashMap<>();
  private final TreeMap<Bytes, Entry> open = new TreeMap<>();
  private long generations;
  private int batchLimit = MAX_BATCH;

  /**
   * @param comparable leaves of a value what the agent decides and clears what the kernel counts in
   *     it
   */
  DesiredMap(UnaryOperator<byte[]> comparable) {
    this.comparable = comparable;
  }

  /**
   * Notes a wish.
   *
   * @return its generation, for whoever waits for it; 0 if the kernel already has it so
   */
  long want(Bytes key, @Nullable Bytes value, long revision) {
    Entry entry = entries.get(key);
    if (value == null && entry == null && !realised.containsKey(key)) {
      return 0;
    }
    boolean asRealised = value != null && same(value, realised.get(key));
    if (entry == null) {
      entry = new Entry();
      entries.put(key, entry);
    } else if (entry.status == Status.DONE && asRealised) {
      return 0;
    }
    entry.desired = value;
    entry.revision = revision;
    entry.generation = ++generations;
    entry.attempts = 0;
    entry.retryAtMs = 0;
    entry.error = "";
    if (asRealised && !open.containsKey(key)) {
      entry.status = Status.DONE;
      return 0;
    }
    entry.status = Status.PENDING;
    open.put(key, entry);
    return entry.generation;
  }

  private boolean same(Bytes desired, @Nullable Bytes actual) {
    return actual != null
        && Arrays.equals(comparable.apply(desired.array()), comparable.apply(actual.array()));
  }

  /**
   * The next call's worth of open entries whose time has come, the largest keys first: a service's
   * frontend is slot 0, and comes after the slots of its backends.
   */
  Batch nextBatch(long nowMs) {
    Batch batch = new Batch(new ArrayList<>(), new ArrayList<>(), new HashMap<>());
    for (Map.Entry<Bytes, Entry> candidate : open.descendingMap().entrySet()) {
      if (batch.size() == batchLimit) {
        break;
      }
      Entry entry = candidate.getValue();
      if (entry.retryAtMs > nowMs) {
        continue;
      }
      Bytes key = candidate.getKey();
      batch.generations.put(key, entry.generation);
      if (entry.desired == null) {
        batch.deletes.add(key.array());
      } else {
        batch.upserts.add(new MapEntry(key.array(), entry.desired.array()));
      }
    }
    return batch;
  }

  /** The kernel made every change of {@code batch}. */
  void succeeded(Batch batch) {
    batchLimit = Math.min(MAX_BATCH, batchLimit * 2);
    for (MapEntry upsert : batch.upserts) {
      realised.put(new Bytes(upsert.key()), new Bytes(upsert.value()));
    }
    for (byte[] deleted : batch.deletes) {
      realised.remove(new Bytes(deleted));
    }
    batch.generations.forEach(
        (key, generation) -> {
          Entry entry = open.get(key);
          if (entry == null || entry.generation != generation) {
            return; // wanted otherwise since
          }
          open.remove(key);
          if (entry.desired == null) {
            entries.remove(key);
          } else {
            entry.status = Status.DONE;
            entry.error = "";
          }
        });
  }

  /**
   * The kernel refused {@code batch}; some of it may have been made.
   *
   * @return the key at fault, null while that is not known
   */
  @Nullable Bytes failed(Batch batch, String message, long nowMs) {
    // What was written before the fault is not known: believe none of it until it succeeds.
    batch.generations.keySet().forEach(realised::remove);
    if (batch.size() > 1) {
      batchLimit = Math.max(1, batch.size() / 2);
      return null;
    }
    Map.Entry<Bytes, Long> only = batch.generations.entrySet().iterator().next();
    Bytes key = only.getKey();
    Entry entry = open.get(key);
    if (entry != null && entry.generation == only.getValue()) {
      entry.status = Status.FAILED;
      entry.error = message;
      long delay = FIRST_RETRY_MS << Math.min(entry.attempts, 20);
      entry.retryAtMs = nowMs + Math.min(delay, LAST_RETRY_MS);
      entry.attempts++;
    }
    batchLimit = Math.min(MAX_BATCH, batchLimit * 2);
    return key;
  }

  /**
   * Takes over what the kernel really has, after a start or to repair what changed behind our back.
   *
   * @param prune whether what nobody wants is to be deleted
   */
  void reconcile(List<MapEntry> dump, boolean prune, long revision) {
    realised.clear();
    for (MapEntry entry : dump) {
      realised.put(new Bytes(entry.key()), new Bytes(entry.value()));
    }
    for (Map.Entry<Bytes, Entry> known : new TreeMap<>(entries).entrySet()) {
      Entry entry = known.getValue();
      if (entry.desired != null && same(entry.desired, realised.get(known.getKey()))) {
        entry.status = Status.DONE;
        entry.error = "";
        open.remove(known.getKey());
      } else if (entry.desired == null && !realised.containsKey(known.getKey())) {
        entries.remove(known.getKey());
        open.remove(known.getKey());
      } else if (entry.status == Status.DONE) {
        entry.status = Status.PENDING;
        entry.attempts = 0;
        entry.retryAtMs = 0;
        open.put(known.getKey(), entry);
      }
    }
    if (prune) {
      for (Bytes key : List.copyOf(realised.keySet())) {
        if (!entries.containsKey(key)) {
          want(key, null, revision);
        }
      }
    }
  }

  /** Whether the wish {@code generation} for {@code key} is fulfilled or overtaken. */
  boolean isSettled(Bytes key, long generation) {
    Entry entry = open.get(key);
    return entry == null || entry.generation != generation;
  }

  /** What failed is tried again without waiting. */
  void retryNow() {
    for (Entry entry : open.values()) {
      entry.retryAtMs = 0;
      entry.attempts = 0;
    }
  }

  /** When a failed entry is to be tried again, {@link Long#MAX_VALUE} if none waits. */
  long nextRetryMs() {
    long earliest = Long.MAX_VALUE;
    for (Entry entry : open.values()) {
      earliest = Math.min(earliest, entry.retryAtMs);
    }
    return earliest;
  }

  /** Wishes not yet fulfilled. */
  int pending() {
    return open.size();
  }

  /** Entries that are wanted, there or not, and those still to be deleted. */
  int size() {
    return entries.size();
  }

  /** Wishes that the kernel refused at the last try. */
  int failed() {
    int failed = 0;
    for (Entry entry : open.values()) {
      failed += entry.status == Status.FAILED ? 1 : 0;
    }
    return failed;
  }

  /** The oldest revision with a wish not yet fulfilled, {@link Long#MAX_VALUE} if there is none. */
  long oldestOpenRevision() {
    long oldest = Long.MAX_VALUE;
    for (Entry entry : open.values()) {
      oldest = Math.min(oldest, entry.revision);
    }
    return oldest;
  }

  List<View> view() {
    List<View> views = new ArrayList<>(entries.size());
    entries.forEach(
        (key, entry) -> views.add(new View(key, entry.desired, entry.status, entry.error)));
    return views;
  }
}
