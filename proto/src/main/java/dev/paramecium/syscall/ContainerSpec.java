package dev.paramecium.syscall;

import java.util.List;
import java.util.Map;

/**
 * One container to run.
 *
 * @param id unique on the node; names the container in later calls
 * @param netns the pod's namespace; empty for the node's own
 * @param podName {@code namespace/name}, for messages and {@code hostname}
 * @param podUid which pod of that name
 * @param attempt how often this container of the pod was started before
 * @param image picks the program ({@code curlimages/curl}, {@code kennethreitz/httpbin}, {@code
 *     nginx}, …)
 * @param command the manifest's command then args; empty to run the image's own entrypoint
 * @param ports the declared containerPorts
 * @param files what is mounted into it, by path, as {@code /etc/resolv.conf}: their bytes, which
 *     nobody changes
 * @param mounts directories that it shares with containers of its pod
 * @param stdin whether, and how long, its main process can be given input by {@link Syscall.Attach}
 * @param tty whether a terminal is between that process and who attaches
 * @param pidsOf the id of the container of the same pod whose PID namespace it shares; empty if it
 *     has its own
 * @param podPids whether it shares the PID namespace of its pod, whose process 1 is {@code /pause}
 */
public record ContainerSpec(
    String id,
    String netns,
    String podName,
    String podUid,
    String containerName,
    int attempt,
    String image,
    List<String> command,
    List<String> args,
    Map<String, String> env,
    List<Port> ports,
    Map<String, byte[]> files,
    List<Mount> mounts,
    Stdin stdin,
    boolean tty,
    String pidsOf,
    boolean podPids) {

  public ContainerSpec {
    command = List.copyOf(command);
    args = List.copyOf(args);
    env = Map.copyOf(env);
    ports = List.copyOf(ports);
    files = Map.copyOf(files);
    mounts = List.copyOf(mounts);
  }

  /** A container that nobody but who starts it has to know again, and that reads no input. */
  public ContainerSpec(
      String id,
      String netns,
      String podName,
      String containerName,
      String image,
      List<String> command,
      List<String> args,
      Map<String, String> env,
      List<Port> ports) {
    this(
        id,
        netns,
        podName,
        "",
        containerName,
        0,
        image,
        command,
        args,
        env,
        ports,
        Map.of(),
        List.of(),
        Stdin.CLOSED,
        false,
        "",
        false);
  }

  /** The input of a main process. */
  public enum Stdin {
    /** It reads the end at once. */
    CLOSED,
    /** {@code stdinOnce}: the first client that leaves, or ends its input, ends it. */
    ONCE,
    /** It never ends. */
    OPEN
  }

  /**
   * A declared port.
   *
   * @param protocol TCP or UDP
   */
  public record Port(String name, int number, String protocol) {}

  /**
   * A directory that lives as long as a container of its pod does.
   *
   * @param path where the container finds it
   * @param volume its name in the pod
   * @param subPath what of it, empty for all
   */
  public record Mount(String path, String volume, String subPath) {}
}
