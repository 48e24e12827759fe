package dev.paramecium.container.process;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Files by their paths in it, in memory: a container's own, or a directory that the containers of a
 * pod share. Paths begin with a slash and are normalized.
 */
public final class Volume {

  /** How many bytes all files of one may hold, as an emptyDir's sizeLimit would say. */
  public static final int CAPACITY = 16 << 20;

  private final NavigableMap<String, byte[]> files = new TreeMap<>();
  private final NavigableSet<String> directories = new TreeSet<>();
  private final Map<String, List<Runnable>> watches = new HashMap<>();
  private int used;

  byte @Nullable [] read(String path) {
    return files.get(path);
  }

  /** Creates or replaces a file; false if the files would exceed {@link #CAPACITY}. */
  boolean write(String path, byte[] bytes) {
    byte[] old = files.get(path);
    int next = used - (old == null ? 0 : old.length) + bytes.length;
    if (next > CAPACITY) {
      return false;
    }
    used = next;
    files.put(path, bytes.clone());
    watches.getOrDefault(path, List.of()).forEach(Runnable::run);
    return true;
  }

  /** Removes a file; false if there is none. */
  boolean remove(String path) {
    byte[] old = files.remove(path);
    used -= old == null ? 0 : old.length;
    return old != null;
  }

  void watch(String path, Runnable changed) {
    watches.computeIfAbsent(path, _ -> new ArrayList<>(1)).add(changed);
  }

  /** Makes a directory that is there without files in it. */
  void makeDirectory(String path) {
    directories.add(path);
  }

  /** Removes a directory that was made so, and everything in it. */
  void removeDirectory(String path) {
    String prefix = path + "/";
    directories.removeIf(other -> other.equals(path) || other.startsWith(prefix));
    List.copyOf(files.navigableKeySet()).stream()
        .filter(file -> file.startsWith(prefix))
        .forEach(this::remove);
  }

  boolean isDirectory(String path) {
    String prefix = path + "/";
    String below = files.ceilingKey(prefix);
    String empty = directories.ceiling(prefix);
    return directories.contains(path)
        || below != null && below.startsWith(prefix)
        || empty != null && empty.startsWith(prefix);
  }

  /** The paths of files and of directories that were made. */
  Stream<String> paths() {
    return Stream.concat(files.keySet().stream(), directories.stream());
  }

  /** Bytes of all files. */
  int used() {
    return used;
  }
}
