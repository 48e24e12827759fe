package dev.paramecium.container.process;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A container's files, in memory: what a runtime mounts ({@code /etc/hosts}, {@code
 * /etc/resolv.conf}, {@code /etc/hostname}), what processes write, and volumes of its pod. Paths
 * are absolute; {@code /dev/null} swallows; directories exist where files, mounts or {@link
 * #DIRECTORIES} make them.
 */
public final class FileSystem {

  private static final List<String> DIRECTORIES =
      List.of("/bin", "/dev", "/etc", "/proc", "/root", "/tmp", "/usr", "/var");

  /** A volume, or what is in it below {@code subPath}, which is empty or begins with a slash. */
  private record Mount(Volume volume, String subPath) {}

  private record Place(Volume volume, String path) {}

  private final Volume root = new Volume();
  private final NavigableMap<String, Mount> mounts = new TreeMap<>();

  /**
   * Makes a volume appear as a directory.
   *
   * @param subPath what of it, empty for all
   */
  public void mount(String path, Volume volume, String subPath) {
    String below = normalize(subPath);
    mounts.put(normalize(path), new Mount(volume, below.equals("/") ? "" : below));
  }

  /** Where a path leads: into the mount that is nearest to it. */
  private Place place(String name) {
    for (var at = mounts.floorEntry(name); at != null; at = mounts.lowerEntry(at.getKey())) {
      String path = at.getKey();
      if (name.equals(path) || name.startsWith(path.equals("/") ? path : path + "/")) {
        String inside = path.equals("/") ? name : name.substring(path.length());
        return new Place(at.getValue().volume(), at.getValue().subPath() + inside);
      }
    }
    return new Place(root, name);
  }

  /** The file's bytes, or null if there is none. */
  public byte @Nullable [] read(String path) {
    String name = normalize(path);
    if (name.equals("/dev/null")) {
      return new byte[0];
    }
    Place place = place(name);
    return place.volume().read(place.path());
  }

  /**
   * Creates or replaces a file.
   *
   * @return false if the files there would exceed {@link Volume#CAPACITY}: "No space left on
   *     device"
   */
  public boolean write(String path, byte[] bytes) {
    String name = normalize(path);
    if (name.equals("/dev/null")) {
      return true;
    }
    Place place = place(name);
    return place.volume().write(place.path(), bytes);
  }

  /** Runs {@code changed} each time that a file was written, as inotify(7) tells of it. */
  public void watch(String path, Runnable changed) {
    Place place = place(normalize(path));
    place.volume().watch(place.path(), changed);
  }

  /** Appends, creating the file if there is none; answers as {@link #write}. */
  public boolean append(String path, byte[] bytes) {
    byte[] old = read(path);
    if (old == null) {
      return write(path, bytes);
    }
    byte[] joined = Arrays.copyOf(old, old.length + bytes.length);
    System.arraycopy(bytes, 0, joined, old.length, bytes.length);
    return write(path, joined);
  }

  /** Removes a file; false if there is none. */
  public boolean remove(String path) {
    Place place = place(normalize(path));
    return place.volume().remove(place.path());
  }

  public boolean isDirectory(String path) {
    String name = normalize(path);
    if (name.equals("/") || DIRECTORIES.contains(name) || mounts.containsKey(name)) {
      return true;
    }
    String prefix = name + "/";
    String mount = mounts.ceilingKey(prefix);
    if (mount != null && mount.startsWith(prefix)) {
      return true;
    }
    Place place = place(name);
    return place.volume().isDirectory(place.path());
  }

  /** Makes a directory, and those above it that are not there. */
  public void makeDirectory(String path) {
    Place place = place(normalize(path));
    place.volume().makeDirectory(place.path());
  }

  /** Removes a directory and everything in it; mounts and {@link #DIRECTORIES} stay, emptied. */
  public void removeDirectory(String path) {
    Place place = place(normalize(path));
    place.volume().removeDirectory(place.path());
  }

  /** The names in a directory, sorted. */
  public List<String> list(String directory) {
    String name = normalize(directory);
    Place place = place(name);
    Stream<String> inside = names(place.volume().paths(), place.path());
    Stream<String> mounted = names(mounts.keySet().stream(), name);
    Stream<String> fixed = names(DIRECTORIES.stream(), name);
    return Stream.of(inside, mounted, fixed).flatMap(all -> all).sorted().distinct().toList();
  }

  /** The first names below a directory of those paths that lie in it. */
  private static Stream<String> names(Stream<String> paths, String directory) {
    String prefix = directory.endsWith("/") ? directory : directory + "/";
    return paths
        .filter(path -> path.startsWith(prefix) && path.length() > prefix.length())
        .map(path -> path.substring(prefix.length()).split("/", 2)[0]);
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

  /** Bytes of the container's own files. */
  public int used() {
    return root.used();
  }
}
