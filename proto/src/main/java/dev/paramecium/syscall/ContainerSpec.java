package dev.paramecium.syscall;

import java.util.List;
import java.util.Map;

/**
 * One container to run.
 *
 * @param id unique on the node; names the container in later calls
 * @param netns the pod's namespace
 * @param podName {@code namespace/name}, for messages and {@code hostname}
 * @param image picks the program ({@code curlimages/curl}, {@code kennethreitz/httpbin}, {@code
 *     nginx}, …)
 * @param command the manifest's command then args; empty to run the image's own entrypoint
 * @param ports the declared containerPorts
 */
public record ContainerSpec(
    String id,
    String netns,
    String podName,
    String containerName,
    String image,
    List<String> command,
    List<String> args,
    Map<String, String> env,
    List<Port> ports) {

  public ContainerSpec {
    command = List.copyOf(command);
    args = List.copyOf(args);
    env = Map.copyOf(env);
    ports = List.copyOf(ports);
  }

  /**
   * A declared port.
   *
   * @param protocol TCP or UDP
   */
  public record Port(String name, int number, String protocol) {}
}
