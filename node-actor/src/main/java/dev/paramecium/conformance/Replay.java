package dev.paramecium.conformance;

import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.ReservedIdentity;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.bpf.TailCalls;
import dev.paramecium.datapath.host.BpfHost;
import dev.paramecium.datapath.lxc.BpfLxc;
import dev.paramecium.datapath.netdev.BpfNetdev;
import dev.paramecium.datapath.netdev.VlanFilter;
import dev.paramecium.datapath.overlay.BpfOverlay;
import dev.paramecium.lib.ConntrackTimeouts;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.Fib;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.NodePortConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.map.PolicyMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A node without devices: the maps and programs of one vector, and a clock that moves as much
 * between packets as the vector's entries age.
 */
final class Replay {

  /** Seconds since boot when a story begins. */
  private static final int START = 1_000_000;

  /** Of everything that programs leave to chance. */
  static final long SEED = 1;

  /** HOST_EP_ID of the recorded programs. */
  private static final int HOST_ENDPOINT_ID = 3333;

  /** Room for more events than one packet can make. */
  private static final int EVENT_PAGES = 2;

  /** Whoever is outside of the recorded nodes answers to this MAC. */
  private static final long OUTSIDE_MAC = 0x02aa_0000_0001L;

  private static final Pattern NATIVE_IFINDEX = Pattern.compile("NATIVE_DEV_IFINDEX=(\\d+)");
  private static final Pattern DIRECT_ROUTING = Pattern.compile("IPV4_DIRECT_ROUTING=([\\d.]+)");

  /** Larger than any frame of the vectors. */
  private static final int BUFFER = 1 << 16;

  /** An endpoint of the node under the name that the vectors call it by. */
  record Endpoint(EndpointProgramConfig config, PolicyMap policy, BpfLxc programs) {}

  /**
   * What is judged: runs the program of a step's hook on a packet, and leaves packet, maps and
   * events as it makes them.
   */
  @FunctionalInterface
  interface Candidate {
    /** The verdict. */
    int run(Fields step, SkBuff packet) throws MalformedVectorException;
  }

  /** Moved by hand. */
  private static final class StepClock implements Clock {
    private int seconds = START;

    @Override
    public long nanos() {
      return seconds * 1_000_000_000L;
    }

    @Override
    public long epochMs() {
      return seconds * 1000L;
    }
  }

  private final StepClock clock = new StepClock();
  private final AtomicInteger ids = new AtomicInteger(1);
  private final CiliumMaps maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null);
  private final Map<String, Endpoint> endpoints = new LinkedHashMap<>();
  private final SkBuffPool pool = new SkBuffPool(BUFFER, 1);
  private final BpfOverlay overlay;
  private final BpfHost host;
  private final BpfNetdev netdev;
  private final NodeConfig config;
  private final Candidate candidate;

  /** Of this node's programs. */
  Replay(Vector vector) throws MalformedVectorException {
    this(vector, replay -> (step, packet) -> TailCalls.run(replay.programOf(step), packet));
  }

  /** Of something else that works on this node's maps. */
  Replay(Vector vector, Function<Replay, Candidate> candidate) throws MalformedVectorException {
    this.config = nodeConfig(vector);
    ProgramContext context =
        new ProgramContext(config, maps, clock, RandomSource.seeded(SEED), TraceRecorder.NONE);
    ProgramArray overlayCalls = calls(MapNames.CALLS_OVERLAY);
    overlay = BpfOverlay.compile(context, overlayCalls);
    fill(overlayCalls, overlay.tailCalls());
    ProgramArray hostCalls = calls(MapNames.hostCallsMapName(HOST_ENDPOINT_ID));
    host = BpfHost.compile(context, hostCalls);
    fill(hostCalls, host.tailCalls());
    ProgramArray netdevCalls = calls(MapNames.netdevCallsMapName(HOST_ENDPOINT_ID));
    netdev = BpfNetdev.compile(context, "eth0", netdevCalls, VlanFilter.NONE);
    fill(netdevCalls, netdev.tailCalls());
    for (Map.Entry<String, Fields> entry : vector.node().object("endpoints").entries().entrySet()) {
      endpoints.put(entry.getKey(), load(context, entry.getValue()));
    }
    MapFiller.fill(vector.mapsBefore(), maps, endpoints, START);
    this.candidate = candidate.apply(this);
  }

  NodeConfig config() {
    return config;
  }

  CiliumMaps maps() {
    return maps;
  }

  /** By name. */
  Map<String, Endpoint> endpoints() {
    return endpoints;
  }

  Clock clock() {
    return clock;
  }

  private Endpoint load(ProgramContext context, Fields fields) throws MalformedVectorException {
    int id = fields.small("id", 65535);
    PolicyMap policy = PolicyMap.create(ids.getAndIncrement(), id);
    ProgramArray calls = calls(MapNames.callsMapName(id));
    EndpointProgramConfig config =
        new EndpointProgramConfig(
            id, fields.word("sec"), fields.address("ip").value(), fields.mac("nmac").value());
    BpfLxc programs = BpfLxc.compile(context, config, policy, calls);
    fill(calls, programs.tailCalls());
    maps.policyCalls().set(id, ids.getAndIncrement(), programs.handlePolicy().program());
    return new Endpoint(config, policy, programs);
  }

  private ProgramArray calls(String name) {
    return new ProgramArray(ids.getAndIncrement(), name, CiliumMaps.CALLS, _ -> null);
  }

  private void fill(ProgramArray calls, List<ProgramSection> sections) {
    for (ProgramSection section : sections) {
      calls.set(section.slot(), ids.getAndIncrement(), section.program());
    }
  }

  private static NodeConfig nodeConfig(Vector vector) throws MalformedVectorException {
    Fields node = vector.node();
    Ipv4Prefix podCidr = node.prefix("pod_cidr");
    int mask = podCidr.length() == 0 ? 0 : -1 << 32 - podCidr.length();
    return new NodeConfig(
        node.address("node_ip").value(),
        node.address("cilium_host_ip").value(),
        mask,
        node.address("IPV4_LOOPBACK").value(),
        node.word("ENCAP_IFINDEX"),
        node.word("HOST_IFINDEX"),
        node.word("CILIUM_IFINDEX"),
        node.mac("HOST_IFINDEX_MAC").value(),
        node.mac("CILIUM_NET_MAC").value(),
        node.mac("overlay_NODE_MAC").value(),
        HOST_ENDPOINT_ID,
        ReservedIdentity.REMOTE_NODE.id(),
        NodeConfig.DEFAULT_TUNNEL_PORT,
        vector.monitorAggregation(),
        false,
        ConntrackTimeouts.DEFAULT,
        nodePort(vector));
  }

  /** From {@code with ENABLE_NODEPORT (SNAT mode), NATIVE_DEV_IFINDEX=9, IPV4_DIRECT_ROUTING=…}. */
  private static @Nullable NodePortConfig nodePort(Vector vector) throws MalformedVectorException {
    String options = vector.options();
    if (!options.contains("ENABLE_NODEPORT")) {
      return null;
    }
    Matcher ifindex = NATIVE_IFINDEX.matcher(options);
    Matcher address = DIRECT_ROUTING.matcher(options);
    if (!ifindex.find() || !address.find()) {
      throw new MalformedVectorException(
          "datapath_options with ENABLE_NODEPORT must say NATIVE_DEV_IFINDEX=… and"
              + " IPV4_DIRECT_ROUTING=…: "
              + options);
    }
    int nativeIfindex = Integer.parseInt(ifindex.group(1));
    // The recorded devices' MACs end with their index.
    long nativeMac = vector.node().mac("HOST_IFINDEX_MAC").value() & ~0xffL | nativeIfindex & 0xff;
    return new NodePortConfig(
        nativeIfindex,
        nativeMac,
        Ipv4Address.parse(address.group(1)).value(),
        NodePortConfig.DEFAULT_MIN_NAT_PORT,
        NodePortConfig.DEFAULT_MAX_NAT_PORT,
        (_, _, _, _, answer) -> {
          answer.ifindex = nativeIfindex;
          answer.sourceMac = nativeMac;
          answer.destinationMac = OUTSIDE_MAC;
          return Fib.SUCCESS;
        });
  }

  /** Sends a step's packet in and answers what it should have been and what it was. */
  List<Difference> run(Fields step) throws MalformedVectorException {
    clock.seconds += Ageing.between(step, maps, clock.seconds);
    SkBuff packet = packetOf(step);
    Snapshot before = Snapshot.of(maps, endpoints);
    try (PerfEventArray.Reader events = maps.events().open(EVENT_PAGES, () -> {})) {
      int verdict = candidate.run(step, packet);
      return new Comparison(step, maps, endpoints, clock.seconds)
          .compare(verdict, packet, events, before);
    } finally {
      pool.release(packet);
    }
  }

  private Program programOf(Fields step) throws MalformedVectorException {
    String hook = step.text("hook");
    ProgramSection section =
        switch (hook) {
          case "from-container" -> endpointOf(step).programs().fromContainer();
          case "to-container" -> endpointOf(step).programs().toContainer();
          case "policy" -> endpointOf(step).programs().handlePolicy();
          case "from-overlay" -> overlay.fromOverlay();
          case "to-overlay" -> overlay.toOverlay();
          case "from-netdev" -> netdev.fromNetdev();
          case "to-netdev" -> netdev.toNetdev();
          case "from-host" -> host.fromHost();
          case "to-host" -> host.toHost();
          default ->
              throw step.unknown(
                  "hook",
                  "must be one of from-container, to-container, policy, from-overlay, to-overlay,"
                      + " from-netdev, to-netdev, from-host, to-host, is \""
                      + hook
                      + "\"");
        };
    return section.program();
  }

  private Endpoint endpointOf(Fields step) throws MalformedVectorException {
    String name = step.text("endpoint");
    Endpoint endpoint = endpoints.get(name);
    if (endpoint == null) {
      throw step.unknown(
          "endpoint", "must name one of " + endpoints.keySet() + ", is \"" + name + "\"");
    }
    return endpoint;
  }

  private SkBuff packetOf(Fields step) throws MalformedVectorException {
    byte[] bytes = step.hex("packet_in");
    if (bytes.length > pool.maxPacketLength()) {
      throw step.unknown("packet_in", "must have at most " + pool.maxPacketLength() + " bytes");
    }
    List<Integer> cb = step.numbers("cb_in");
    if (cb.size() != 5) {
      throw step.unknown("cb_in", "must hold 5 numbers, holds " + cb.size());
    }
    int mark = step.word("mark_in");
    int ifindex = step.word("ifindex_in");
    @Nullable Fields key = step.has("tunnel_key_in") ? step.object("tunnel_key_in") : null;
    int vni = key == null ? 0 : key.word("vni");
    int remote = key == null ? 0 : key.address("remote").value();
    SkBuff packet = pool.take();
    if (packet == null) {
      throw new IllegalStateException("the packet of the step before was not released");
    }
    packet.setBytes(bytes, 0, bytes.length);
    packet.ifindex = ifindex;
    packet.mark = mark;
    packet.cb0 = cb.get(0);
    packet.cb1 = cb.get(1);
    packet.cb2 = cb.get(2);
    packet.cb3 = cb.get(3);
    packet.cb4 = cb.get(4);
    packet.hasTunnelKey = key != null;
    packet.tunnelId = vni;
    packet.tunnelRemote = remote;
    return packet;
  }
}
