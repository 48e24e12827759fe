package dev.paramecium.apiserver;

import dev.paramecium.proto.StoredBatch;
import dev.paramecium.proto.StoredObject;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A journal in one folder.
 *
 * <pre>
 *   lock        held while the process lives; says which process
 *   snapshot    the objects alive when the log was begun
 *   log         every write since
 *
 *   both files:  | length u32 | CRC32C u32 | StoredBatch |  …     big endian
 * </pre>
 *
 * What is forced to the disk together is one record, so it is there as a whole or not at all. A
 * crash can leave a torn record at the end of the log: it was never acknowledged, and opening cuts
 * it off. A damaged record anywhere else is an error, never skipped.
 */
final class FileJournal implements Journal {

  private static final int HEADER = 8;
  private static final int MAX_RECORD = 1024 * 1024 * 1024;
  private static final long COMPACT_AT = 64L * 1024 * 1024;

  private final Path folder;
  private final FileChannel lockFile;
  private FileChannel log;
  private long logSize;

  /** Grows when compaction fails, so that a disk without room is not tried at every write. */
  private volatile long compactAt = COMPACT_AT;

  private FileJournal(Path folder, FileChannel lockFile, FileChannel log) throws IOException {
    this.folder = folder;
    this.lockFile = lockFile;
    this.log = log;
    this.logSize = log.size();
  }

  /**
   * Opens the journal in {@code folder}, which is made if it is not there.
   *
   * @throws IOException if another process has it open, or it is damaged
   */
  static FileJournal open(Path folder) throws IOException {
    Files.createDirectories(folder);
    FileChannel lockFile =
        FileChannel.open(
            folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock;
    try {
      lock = lockFile.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    }
    if (lock == null) {
      String holder = Files.readString(folder.resolve("lock")).strip();
      lockFile.close();
      throw new IOException(
          "the journal in "
              + folder
              + " is open in process "
              + (holder.isEmpty() ? "(unknown)" : holder)
              + ": stop that control plane first");
    }
    // The lock is the kernel's and ends with its process; the number is for whoever is refused.
    lockFile.truncate(0);
    write(
        lockFile,
        ByteBuffer.wrap(
            Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
    FileChannel log = openLog(folder);
    log.position(endOfLastWholeRecord(folder.resolve("log"), log));
    log.truncate(log.position());
    forceNames(folder);
    return new FileJournal(folder, lockFile, log);
  }

  /** A new file's name is on the disk only after its folder is. */
  private static void forceNames(Path folder) throws IOException {
    try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
      names.force(true);
    }
  }

  private static FileChannel openLog(Path folder) throws IOException {
    return FileChannel.open(
        folder.resolve("log"),
        StandardOpenOption.CREATE,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE);
  }

  private static long endOfLastWholeRecord(Path file, FileChannel log) throws IOException {
    long end = 0;
    long size = log.size();
    while (end < size) {
      ByteBuffer record = readRecord(log, end, size);
      if (record == null) {
        if (hasWholeRecordAfter(log, end, size)) {
          throw new IOException(file + " is damaged at byte " + end + ": restore it from a backup");
        }
        return end;
      }
      end += HEADER + record.remaining();
    }
    return end;
  }

  /**
   * A torn end is at the end: a record that is broken although its length fits into the file, with
   * more behind it, is damage.
   */
  private static boolean hasWholeRecordAfter(FileChannel log, long at, long size)
      throws IOException {
    if (size - at < HEADER) {
      return false;
    }
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    readFully(log, header, at);
    int length = header.getInt(0);
    long next = at + HEADER + (long) length;
    return length > 0 && length <= MAX_RECORD && next < size && readRecord(log, next, size) != null;
  }

  /** The record at {@code at}, or null if it is torn or damaged. */
  private static @Nullable ByteBuffer readRecord(FileChannel file, long at, long size)
      throws IOException {
    if (size - at < HEADER) {
      return null;
    }
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    readFully(file, header, at);
    int length = header.getInt(0);
    if (length <= 0 || length > MAX_RECORD || at + HEADER + length > size) {
      return null;
    }
    ByteBuffer record = ByteBuffer.allocate(length);
    readFully(file, record, at + HEADER);
    record.flip();
    return checksum(record) == header.getInt(4) ? record : null;
  }

  private static void readFully(FileChannel file, ByteBuffer into, long at) throws IOException {
    while (into.hasRemaining()) {
      int count = file.read(into, at + into.position());
      if (count < 0) {
        throw new EOFException();
      }
    }
  }

  private static int checksum(ByteBuffer record) {
    CRC32C crc = new CRC32C();
    crc.update(record.duplicate());
    return (int) crc.getValue();
  }

  @Override
  public void replay(Consumer<StoredObject> record) throws IOException {
    Path snapshot = folder.resolve("snapshot");
    if (Files.exists(snapshot)) {
      try (FileChannel file = FileChannel.open(snapshot, StandardOpenOption.READ)) {
        replay(snapshot, file, file.size(), record);
      }
    }
    replay(folder.resolve("log"), log, logSize, record);
  }

  private static void replay(
      Path path, FileChannel file, long size, Consumer<StoredObject> consumer) throws IOException {
    long at = 0;
    while (at < size) {
      ByteBuffer record = readRecord(file, at, size);
      if (record == null) {
        throw new IOException(path + " is damaged at byte " + at + ": restore it from a backup");
      }
      at += HEADER + record.remaining();
      StoredBatch.parseFrom(record).getObjectsList().forEach(consumer);
    }
  }

  @Override
  public void append(List<StoredObject> records) throws IOException {
    ByteBuffer bytes = encode(records);
    long end = logSize + bytes.remaining();
    try {
      long at = logSize;
      while (bytes.hasRemaining()) {
        at += log.write(bytes, at);
      }
      log.force(false);
      logSize = end;
    } catch (IOException e) {
      // Part of the batch may be in the file: none of it was acknowledged, so none of it stays.
      log.truncate(logSize);
      throw e;
    }
  }

  private static ByteBuffer encode(Collection<StoredObject> records) throws IOException {
    StoredBatch batch = StoredBatch.newBuilder().addAllObjects(records).build();
    int size = batch.getSerializedSize();
    if (size > MAX_RECORD) {
      throw new IOException(
          "a batch of " + size + " bytes is too large: the journal takes up to " + MAX_RECORD);
    }
    ByteBuffer body = ByteBuffer.wrap(batch.toByteArray());
    ByteBuffer bytes = ByteBuffer.allocate(HEADER + size);
    return bytes.putInt(size).putInt(checksum(body)).put(body).flip();
  }

  @Override
  public boolean wantsCompaction() {
    return logSize > compactAt;
  }

  @Override
  public void compact(Collection<StoredObject> live, long resourceVersion) throws IOException {
    compactAt = logSize + COMPACT_AT;
    Path next = folder.resolve("snapshot.new");
    try (FileChannel file =
        FileChannel.open(
            next,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      for (StoredObject object : live) {
        write(file, encode(List.of(object)));
      }
      // The revision survives even if the newest write was a deletion.
      write(
          file,
          encode(List.of(StoredObject.newBuilder().setResourceVersion(resourceVersion).build())));
      file.force(true);
    }
    Files.move(
        next,
        folder.resolve("snapshot"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    forceNames(folder);
    // A crash between the move and here replays a log that the snapshot already holds: replay is
    // idempotent.
    log.truncate(0);
    log.force(true);
    logSize = 0;
    compactAt = COMPACT_AT;
  }

  private static void write(FileChannel file, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    log.close();
    lockFile.close();
  }
}
