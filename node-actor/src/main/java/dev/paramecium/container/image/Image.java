package dev.paramecium.container.image;

import dev.paramecium.container.process.Executable;
import dev.paramecium.syscall.ContainerSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An image.
 *
 * @param entrypoint ENTRYPOINT, which a manifest's command replaces
 * @param arguments CMD, which a manifest's args replace
 * @param bare whether nothing but its own programs is in PATH, as in an image from scratch
 * @param note what must be said about it, empty if it is what its name says
 */
public record Image(
    List<String> entrypoint,
    List<String> arguments,
    Map<String, Executable> programs,
    Map<String, String> env,
    boolean bare,
    String note) {

  public Image {
    entrypoint = List.copyOf(entrypoint);
    arguments = List.copyOf(arguments);
    programs = Map.copyOf(programs);
    env = Map.copyOf(env);
  }

  /** What the container runs, by the rules of ENTRYPOINT and CMD against command and args. */
  public List<String> commandLine(ContainerSpec spec) {
    List<String> line = new ArrayList<>();
    if (!spec.command().isEmpty()) {
      line.addAll(spec.command());
      line.addAll(spec.args());
    } else {
      line.addAll(entrypoint);
      line.addAll(spec.args().isEmpty() ? arguments : spec.args());
    }
    return line;
  }

  /** A path's last part. */
  static String baseName(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** The programs in PATH. */
  public Map<String, Executable> path(Map<String, Executable> podTools) {
    Map<String, Executable> path = new HashMap<>();
    if (!bare) {
      path.putAll(podTools);
    }
    path.putAll(programs);
    return path;
  }
}
