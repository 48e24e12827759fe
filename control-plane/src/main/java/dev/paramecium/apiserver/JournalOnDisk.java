package dev.paramecium.apiserver;

import dev.paramecium.chaos.JournalDisk;
import dev.paramecium.proto.StoredObject;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/** A journal on a disk that failure experiments make slow or full. */
final class JournalOnDisk implements Journal {

  private final Journal journal;
  private final JournalDisk disk;

  JournalOnDisk(Journal journal, JournalDisk disk) {
    this.journal = journal;
    this.disk = disk;
  }

  @Override
  public void replay(Consumer<StoredObject> record) throws IOException {
    journal.replay(record);
  }

  @Override
  public void append(List<StoredObject> records) throws IOException {
    disk.beforeWrite();
    journal.append(records);
  }

  @Override
  public boolean wantsCompaction() {
    return journal.wantsCompaction();
  }

  @Override
  public void compact(Collection<StoredObject> live, long resourceVersion) throws IOException {
    disk.beforeWrite();
    journal.compact(live, resourceVersion);
  }

  @Override
  public void close() throws IOException {
    journal.close();
  }
}
