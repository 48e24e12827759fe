package dev.paramecium.apiserver.rest;

import dev.paramecium.api.KubeObject;
import dev.paramecium.apiserver.ServedKind;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Objects as the JSON that watchers get, made once for all who watch the same in the same shape.
 * Those that were asked for lately are kept, at most {@link #KEPT}. For any thread.
 */
final class EncodedObjects {

  static final int KEPT = 1024;

  /**
   * What is kept.
   *
   * @param rows null for the object itself, otherwise what a table's row carries
   * @param second of the ages in a table; 0 for the object itself
   */
  private record Entry(
      KubeObject object, ServedKind kind, @Nullable RowObject rows, long second, byte[] json) {}

  private final AtomicReferenceArray<Entry> entries = new AtomicReferenceArray<>(KEPT);

  /**
   * The JSON of an object, or of a table with it alone; never to be written to.
   *
   * @param rows null for the object itself
   */
  byte[] json(ServedKind kind, KubeObject object, @Nullable RowObject rows, Instant now) {
    long second = rows == null ? 0 : now.getEpochSecond();
    int shape = rows == null ? 0 : 1 + rows.ordinal();
    int slot = (System.identityHashCode(object) * 31 + shape) & KEPT - 1;
    Entry known = entries.get(slot);
    // By identity: an object that has changed is another one, and to compare trees takes longer.
    if (known != null
        && known.object() == object
        && known.kind() == kind
        && known.rows() == rows
        && known.second() == second) {
      return known.json();
    }
    byte[] json =
        Answer.bytes(
            rows == null
                ? object.json()
                : Tables.of(kind, List.of(object), object.resourceVersion(), rows, now));
    entries.set(slot, new Entry(object, kind, rows, second, json));
    return json;
  }
}
