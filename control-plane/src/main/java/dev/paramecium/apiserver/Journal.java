package dev.paramecium.apiserver;

import dev.paramecium.proto.StoredObject;
import java.io.Closeable;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/** Where the API server's writes survive. Not for several threads at once. */
public interface Journal extends Closeable {

  /** Everything that is in the journal, oldest first; a record with empty json deletes its key. */
  void replay(Consumer<StoredObject> record) throws IOException;

  /**
   * Makes records durable. When it returns they survive the end of the process and of the machine's
   * power; when it throws, none of them is in the journal.
   */
  void append(List<StoredObject> records) throws IOException;

  /** Whether enough has been appended that {@link #compact} pays. */
  boolean wantsCompaction();

  /** Replaces the journal's past by the objects that are alive. */
  void compact(Collection<StoredObject> live, long resourceVersion) throws IOException;
}
