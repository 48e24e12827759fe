package dev.paramecium.container;

import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.container.process.Executable;
import dev.paramecium.container.socket.SocketHooks;
import java.util.Map;

/**
 * What a namespace is made of.
 *
 * @param name as {@code ip netns} lists it, {@code cni-…}; empty for the node's own
 * @param hostname the pod's name; the node's for its own namespace
 * @param random for this namespace alone: its actor is the only one that draws from it
 * @param pool where outgoing frames are taken from and incoming ones go back to
 * @param hostTools what {@code Exec} with an empty containerId finds in PATH; empty in a pod
 * @param podTools what every image has in PATH beside its own programs: {@code ip}, {@code arp}
 * @param hooks what the node's cgroup does to the namespace's sockets
 */
public record NamespaceConfig(
    String name,
    String hostname,
    Clock clock,
    RandomSource random,
    SkBuffPool pool,
    Map<String, Executable> hostTools,
    Map<String, Executable> podTools,
    SocketHooks.Factory hooks) {

  public NamespaceConfig {
    hostTools = Map.copyOf(hostTools);
    podTools = Map.copyOf(podTools);
  }
}
