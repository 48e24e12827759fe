package dev.paramecium.container.process;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A container's files, in memory: what a runtime mounts ({@code /etc/hosts}, {@code
 * /etc/resolv.conf}, {@code /etc/hostname}) and what processes write. Paths are absolute; {@code
 * /dev/null} swallows; directories exist where files or {@link #DIRECTORIES} make them.
 */
public final class FileSystem {

  /** How many bytes all files of a container may hold, as an emptyDir's sizeLimit would say. */
  public static final int CAPACITY = 16 << 20;

  private static final List<String> DIRECTORIES =
      List.of("/bin", "/dev", "/etc", "/proc", "/root", "/tmp", "/usr", "/var");

  private final NavigableMap<String, byte[]> files = new TreeMap<>();
  private final Map<String, Runnable> watches = new HashMap<>();
  private int used;

  /** The file's bytes, or null if there is none. */
  public byte @Nullable [] read(String path) {
    String name = normalize(path);
    return name.equals("/dev/null") ? new byte[0] : files.get(name);
  }

  /**
   * Creates or replaces a file.
   *
   * @return false if the container's files would exceed {@link #CAPACITY}: "No space left on
   *     device"
   */
  public boolean write(String path, byte[] bytes) {
    String name = normalize(path);
    if (name.equals("/dev/null")) {
      return true;
    }
    byte[] old = files.get(name);
    int next = used - (old == null ? 0 : old.length) + bytes.length;
    if (next > CAPACITY) {
      return false;
    }
    used = next;
    files.put(name, bytes.clone());
    Runnable watch = watches.get(name);
    if (watch != null) {
      watch.run();
    }
    return true;
  }

  /** Runs {@code changed} each time that a file was written, as inotify(7) tells of it. */
  public void watch(String path, Runnable changed) {
    watches.put(normalize(path), changed);
  }

  /** Appends, creating the file if there is none; answers as {@link #write}. */
  public boolean append(String path, byte[] bytes) {
    byte[] old = read(path);
    if (old == null) {
      return write(path, bytes);
    }
    if (used + bytes.length > CAPACITY) {
      return false;
    }
    byte[] joined = Arrays.copyOf(old, old.length + bytes.length);
    System.arraycopy(bytes, 0, joined, old.length, bytes.length);
    return write(path, joined);
  }

  /** Removes a file; false if there is none. */
  public boolean remove(String path) {
    byte[] old = files.remove(normalize(path));
    used -= old == null ? 0 : old.length;
    return old != null;
  }

  public boolean isDirectory(String path) {
    String name = normalize(path);
    if (name.equals("/") || DIRECTORIES.contains(name)) {
      return true;
    }
    String below = files.ceilingKey(name + "/");
    return below != null && below.startsWith(name + "/");
  }

  /** The names in a directory, sorted. */
  public List<String> list(String directory) {
    String name = normalize(directory);
    String prefix = name.equals("/") ? "/" : name + "/";
    List<String> paths = new ArrayList<>(files.keySet());
    paths.addAll(DIRECTORIES);
    return paths.stream()
        .filter(path -> path.startsWith(prefix) && path.length() > prefix.length())
        .map(path -> path.substring(prefix.length()).split("/", 2)[0])
        .sorted()
        .distinct()
        .toList();
  }

  private static String normalize(String path) {
    List<String> parts = new ArrayList<>();
    for (String part : path.split("/", -1)) {
      if (part.equals("..")) {
        if (!parts.isEmpty()) {
          parts.removeLast();
        }
      } else if (!part.isEmpty() && !part.equals(".")) {
        parts.add(part);
      }
    }
    return "/" + String.join("/", parts);
  }

  /** Bytes of all files. */
  public int used() {
    return used;
  }
}
