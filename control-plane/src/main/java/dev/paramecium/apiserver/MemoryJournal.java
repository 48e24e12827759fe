package dev.paramecium.apiserver;

import dev.paramecium.proto.StoredObject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/** A journal that forgets everything with its JVM: for clusters that live as long as a test. */
final class MemoryJournal implements Journal {

  private static final int COMPACT_AT = 100_000;

  private final List<StoredObject> records = new ArrayList<>();

  @Override
  public synchronized void replay(Consumer<StoredObject> record) {
    records.forEach(record);
  }

  @Override
  public synchronized void append(List<StoredObject> more) {
    records.addAll(more);
  }

  @Override
  public synchronized boolean wantsCompaction() {
    return records.size() > COMPACT_AT;
  }

  @Override
  public synchronized void compact(Collection<StoredObject> live, long resourceVersion) {
    records.clear();
    records.addAll(live);
    records.add(StoredObject.newBuilder().setResourceVersion(resourceVersion).build());
  }

  @Override
  public void close() {}
}
