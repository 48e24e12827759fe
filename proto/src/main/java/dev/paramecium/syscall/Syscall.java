package dev.paramecium.syscall;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * One request to a node's kernel. Every call is answered once, in the order in which calls of one
 * sender arrive.
 */
public sealed interface Syscall {

  // ---- netlink: namespaces, links, addresses, routes

  /** {@code ip netns add}. EEXIST if the name is taken. */
  record CreateNetns(String netns, ActorRef<Result<Done>> replyTo) implements Syscall {}

  /** {@code ip netns del}: its devices (and so their veth peers), sockets and processes go too. */
  record DeleteNetns(String netns, ActorRef<Result<Done>> replyTo) implements Syscall {}

  /**
   * {@code ip link add NAME type veth peer name PEER netns NETNS}; MACs and indexes are the
   * kernel's choice.
   */
  record CreateVeth(
      String name, String netns, String peerName, int mtu, ActorRef<Result<VethPair>> replyTo)
      implements Syscall {}

  /** {@code ip link del}; the peer goes too. */
  record DeleteLink(String name, ActorRef<Result<Done>> replyTo) implements Syscall {}

  /**
   * Gives a pod's interface its address and default route, as the Cilium CNI plugin does: {@code
   * ADDRESS/32}, a link-scope route to the gateway and a default route through it.
   */
  record ConfigurePodInterface(
      String netns,
      String ifname,
      Ipv4Address address,
      Ipv4Address gateway,
      int mtu,
      ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  /**
   * Replaces the host's route for {@code prefix}: {@code ip route replace PREFIX via GATEWAY dev
   * DEVICE}; without {@code via} if the gateway is 0.0.0.0.
   */
  record ReplaceRoute(
      Ipv4Prefix prefix, Ipv4Address gateway, String device, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  /** {@code ip route del}. */
  record DeleteRoute(Ipv4Prefix prefix, ActorRef<Result<Done>> replyTo) implements Syscall {}

  /** {@code ip link}, all namespaces. */
  record ListLinks(ActorRef<Result<List<LinkInfo>>> replyTo) implements Syscall {}

  /**
   * {@code tc qdisc replace} and the iptables rules beside it: makes these the faults of a device's
   * link, in place of those it had; none restores it, and what was held back is dropped. EINVAL for
   * a device that has no queue.
   *
   * @param netns the device's namespace, empty for the host's
   * @param seed what chance follows from
   */
  record ReplaceLinkFaults(
      String netns,
      String device,
      List<LinkFault> faults,
      long seed,
      ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  // ---- bpf(2): programs and maps

  /**
   * Loads the node's own programs and pins its maps: creates {@code cilium_host}/{@code cilium_net}
   * and {@code cilium_vxlan}, loads {@code bpf_host.o}, {@code bpf_overlay.o} and {@code
   * bpf_netdev_eth0.o} and attaches them. Again with another configuration: reloads, maps survive.
   */
  record LoadNodeDatapath(DatapathConfig config, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  /**
   * Loads {@code bpf_lxc.o} for one endpoint, attaches from-container to its lxc device and puts
   * handle_policy into {@code cilium_call_policy}; creates {@code cilium_policy_NNNNN} and {@code
   * cilium_calls_NNNNN} if they do not exist. Again: replaces the programs atomically. Answers the
   * id of from-container.
   */
  record LoadEndpointDatapath(EndpointConfig config, ActorRef<Result<Integer>> replyTo)
      implements Syscall {}

  /** Takes an endpoint's programs and maps away; its lxc device goes with {@link DeleteLink}. */
  record UnloadEndpointDatapath(int endpointId, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  /**
   * BPF_MAP_UPDATE_BATCH then BPF_MAP_DELETE_BATCH: in order, stops at the first failure. E2BIG
   * when the map is full; deleting what is not there is no failure. An entry of a map of maps is
   * given, and dumped, as the only value of its inner map.
   */
  record UpdateMap(
      String map, List<MapEntry> upserts, List<byte[]> deletes, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  /**
   * A map that is full takes no new key, whatever room it has, until it is told that it is not:
   * E2BIG or ENOSPC for a hash or a trie, and an LRU map evicts for each. EINVAL for another kind
   * of map.
   */
  record FillMap(String map, boolean full, ActorRef<Result<Done>> replyTo) implements Syscall {}

  /** Every entry, in the map's own order. */
  record DumpMap(String map, ActorRef<Result<List<MapEntry>>> replyTo) implements Syscall {}

  /** {@code bpftool map show}. */
  record ListMaps(ActorRef<Result<List<MapInfo>>> replyTo) implements Syscall {}

  /**
   * What identities stand for, so that tools on the node can print it: on a real node they ask the
   * agent's socket.
   *
   * @param labels by number, {@code source:key=value}; empty for a number that nobody has any more
   */
  record NameIdentities(Map<Integer, List<String>> labels, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  /**
   * {@code bind} and {@code listen} on {@code /var/run/cilium/cilium.sock}: the node's {@code
   * cilium} asks {@code agent} whatever is not the kernel's to answer, until the actor stops.
   */
  record ServeAgentSocket(ActorRef<AgentCall> agent, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  // ---- the proxy that the agent brings

  /**
   * What the node's L7 proxy does from now on, in place of what it did. Answered when its listeners
   * are open: EADDRINUSE if one cannot be, and nothing has changed then. When {@code agent} stops
   * the proxy goes with it, as the process that it is a part of.
   *
   * @param agent learns names from the DNS proxy's answers
   */
  record ConfigureProxy(
      ProxyConfig config, ActorRef<DnsAnswer> agent, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  // ---- the container runtime

  /** What a container runtime is asked. */
  sealed interface ContainerCall extends Syscall {}

  /** Starts a container; {@code events} hears {@link ContainerEvent}s until it has exited. */
  record StartContainer(
      ContainerSpec spec, ActorRef<ContainerEvent> events, ActorRef<Result<Done>> replyTo)
      implements ContainerCall {}

  /** SIGTERM, then SIGKILL after {@code graceMs}. The exit is told as a {@link ContainerEvent}. */
  record StopContainer(String containerId, long graceMs, ActorRef<Result<Done>> replyTo)
      implements ContainerCall {}

  /** Forgets an exited container and its log. */
  record RemoveContainer(String containerId, ActorRef<Result<Done>> replyTo)
      implements ContainerCall {}

  /** Runs a command in a container or on the node. */
  record Exec(ExecRequest request, ActorRef<ExecOutput> client) implements ContainerCall {}

  /**
   * Connects to TCP {@code port} of 127.0.0.1 from inside the container's network namespace, as a
   * container runtime does for port-forward: what the client sends as stdin goes to the peer, what
   * the peer says comes as stdout, why it failed as stderr.
   *
   * @param containerId empty for the node's own namespace
   */
  record ForwardPort(String containerId, int port, ActorRef<ExecOutput> client)
      implements ContainerCall {}

  /**
   * Reads a container's log as {@link ExecOutput.Data} on stream 1; with follow until the container
   * exits or the client signals.
   */
  record ReadLog(LogRequest request, ActorRef<ExecOutput> client) implements ContainerCall {}

  /**
   * Joins a container's main process: its output from now on comes to the client as well as into
   * the log, and what the client sends is its stdin, if the container was started with one. When
   * the client goes the process stays.
   */
  record Attach(String containerId, ActorRef<ExecOutput> client) implements ContainerCall {}

  /**
   * CRI's ExecSync: runs a command to its end. ETIMEDOUT, and the command killed, if it takes
   * longer than {@code timeoutMs}; another error if it could not be started.
   */
  record ExecSync(
      String containerId, List<String> argv, long timeoutMs, ActorRef<Result<ExecResult>> replyTo)
      implements ContainerCall {}

  /**
   * Writes and removes files of a container, as the kubelet brings a mounted volume up to date; the
   * container's processes see all of it at once. ENOSPC if its files would be too large.
   *
   * @param files by path
   * @param removed paths; one that is not there is no error
   */
  record WriteFiles(
      String containerId,
      Map<String, byte[]> files,
      Set<String> removed,
      ActorRef<Result<Done>> replyTo)
      implements ContainerCall {

    public WriteFiles {
      files = Map.copyOf(files);
      removed = Set.copyOf(removed);
    }
  }

  /** {@code crictl ps -a}: every container that was not removed. */
  record ListContainers(ActorRef<Result<List<ContainerInfo>>> replyTo) implements ContainerCall {}

  /**
   * Another listener takes over a container's events, as after a restart of the kubelet: it hears
   * at once that the container runs, or that it has exited.
   */
  record WatchContainer(
      String containerId, ActorRef<ContainerEvent> events, ActorRef<Result<Done>> replyTo)
      implements ContainerCall {}

  // ---- connections of kubelet and agent: from the node's namespace through its stack

  /**
   * One GET, redirects to the same host followed. A failure's message is worded as Go's net/http
   * words it.
   */
  record HttpGet(HttpRequest request, ActorRef<Result<HttpReply>> replyTo) implements Syscall {}

  /** Connects and closes. A failure's message is worded as Go's net package words it. */
  record ConnectTcp(Ipv4Address address, int port, long timeoutMs, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  /**
   * One ICMP echo request (RFC 792), as {@code cilium-health} pings. Answers how long the reply
   * took, in nanoseconds; ETIMEDOUT if none came, with Linux's text.
   */
  record Ping(Ipv4Address address, long timeoutMs, ActorRef<Result<Long>> replyTo)
      implements Syscall {}

  // ---- taps

  /** Follows packets that match {@code filter} until {@link DisarmTrace}. */
  record ArmTrace(
      String traceId,
      TraceFilter filter,
      ActorRef<Observation> observer,
      ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  record DisarmTrace(String traceId, ActorRef<Result<Done>> replyTo) implements Syscall {}

  /**
   * Reads {@code cilium_events} from now on; a slow reader loses records, and is told how many. The
   * subscription ends when {@code reader} stops.
   */
  record OpenPerfRing(ActorRef<PerfRecord> reader, ActorRef<Result<Done>> replyTo)
      implements Syscall {}

  /**
   * Counters by name: packets, drops by queue, buffers in use, sockets open. For {@code paramecium
   * status} and leak tests.
   */
  record ReadCounters(ActorRef<Result<Map<String, Long>>> replyTo) implements Syscall {}
}
