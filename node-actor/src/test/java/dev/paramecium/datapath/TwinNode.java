package dev.paramecium.datapath;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropNotify;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyVerdictNotify;
import dev.paramecium.abi.TraceNotify;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.Program;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.bpf.TailCalls;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.bpf.XdpAction;
import dev.paramecium.datapath.TestNode.TestClock;
import dev.paramecium.datapath.host.BpfHost;
import dev.paramecium.datapath.lxc.BpfLxc;
import dev.paramecium.datapath.model.EventModel;
import dev.paramecium.datapath.model.MapState;
import dev.paramecium.datapath.model.NodeModel;
import dev.paramecium.datapath.netdev.BpfNetdev;
import dev.paramecium.datapath.netdev.VlanFilter;
import dev.paramecium.datapath.overlay.BpfOverlay;
import dev.paramecium.datapath.xdp.BpfXdp;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.map.MapSizes;
import dev.paramecium.map.PolicyMap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A node without devices whose programs and {@link NodeModel} are given the same packets and maps:
 * {@link #run} answers in what they differ.
 */
final class TwinNode implements AutoCloseable {

  private static final int EVENT_PAGES = 4;

  /** A story needs no more. */
  private static final MapSizes SIZES = new MapSizes(4096, 4096, 4096, 256);

  /** {@code --vlan-bpf-bypass}. */
  static final int ALLOWED_VLAN = 100;

  private static final VlanFilter VLANS = (_, vlan) -> vlan == ALLOWED_VLAN;

  /** Of a tag, beside the VLAN's number. */
  private static final int PRIORITY = 0x6000;

  private static final Map<Integer, String> CT_FLAGS =
      Map.of(
          CtEntry.RX_CLOSING, "rx_closing",
          CtEntry.TX_CLOSING, "tx_closing",
          CtEntry.LB_LOOPBACK, "lb_loopback",
          CtEntry.SEEN_NON_SYN, "seen_non_syn",
          CtEntry.NODE_PORT, "node_port",
          CtEntry.PROXY_REDIRECT, "proxy_redirect",
          CtEntry.DSR, "dsr");

  private static final int CAPACITY = 1 << 12;

  /** Something that happens. */
  sealed interface Step {
    /** Seconds that pass before. */
    int pause();
  }

  /**
   * A packet at a hook.
   *
   * @param hook as {@link NodeModel#run} names it
   * @param endpoint of the hook's program
   * @param sender cb[0], of the policy program
   * @param target cb[1], of the policy program
   * @param vni of a tunnel key, -1 for none
   * @param vlan of the tag that the frame had, 0 for a priority's, -1 for none
   */
  record Packet(
      int pause,
      String hook,
      int endpoint,
      String frame,
      int mark,
      int sender,
      int target,
      int vni,
      int vlan)
      implements Step {}

  /** Somebody changes maps. */
  record Change(int pause, String what, Consumer<TwinNode> action) implements Step {
    @Override
    public String toString() {
      return "Change[pause=" + pause + ", " + what + "]";
    }
  }

  /**
   * What became of a packet.
   *
   * @param differences between programs and model; empty if they agree
   */
  record Outcome(int verdict, byte[] frame, List<String> differences) {}

  final CiliumMaps maps;
  final Map<Integer, PolicyMap> policies = new HashMap<>();
  private final NodeConfig config;
  private final TestClock clock = new TestClock();
  private final RandomSource modelRandom;
  private final List<EndpointProgramConfig> endpoints;
  private final Map<Integer, BpfLxc> pods = new HashMap<>();
  private final AtomicInteger ids = new AtomicInteger(1);
  private final SkBuffPool pool = new SkBuffPool(CAPACITY, 2);
  private final BpfOverlay overlay;
  private final BpfHost host;
  private final BpfNetdev netdev;
  private final BpfXdp xdp;
  private final PerfEventArray.Reader events;
  private final Set<String> reached = new TreeSet<>();

  /**
   * @param seed of what programs and model leave to chance
   */
  TwinNode(NodeConfig config, List<EndpointProgramConfig> endpoints, long seed) {
    this.config = config;
    this.endpoints = endpoints;
    this.modelRandom = RandomSource.seeded(seed);
    this.maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null, SIZES);
    ProgramContext context =
        new ProgramContext(config, maps, clock, RandomSource.seeded(seed), TraceRecorder.NONE);
    ProgramArray overlayCalls = calls(MapNames.CALLS_OVERLAY);
    overlay = BpfOverlay.compile(context, overlayCalls);
    fill(overlayCalls, overlay.tailCalls());
    ProgramArray hostCalls = calls(MapNames.hostCallsMapName(config.hostEndpointId()));
    host = BpfHost.compile(context, hostCalls);
    fill(hostCalls, host.tailCalls());
    ProgramArray netdevCalls = calls(MapNames.netdevCallsMapName(config.hostEndpointId()));
    netdev = BpfNetdev.compile(context, "eth0", netdevCalls, VLANS);
    fill(netdevCalls, netdev.tailCalls());
    ProgramArray xdpCalls = calls("cilium_calls_xdp");
    // cilium-agent refuses acceleration with a tunnel.
    boolean acceleration = config.nodePort() != null && !config.tunnel();
    xdp = BpfXdp.compile(context, xdpCalls, null, acceleration);
    fill(xdpCalls, xdp.tailCalls());
    for (EndpointProgramConfig endpoint : endpoints) {
      int id = endpoint.id();
      PolicyMap policy = PolicyMap.create(ids.getAndIncrement(), id, SIZES.policy());
      ProgramArray calls = calls(MapNames.callsMapName(id));
      BpfLxc programs = BpfLxc.compile(context, endpoint, policy, calls);
      fill(calls, programs.tailCalls());
      maps.policyCalls().set(id, ids.getAndIncrement(), programs.handlePolicy().program());
      policies.put(id, policy);
      pods.put(id, programs);
    }
    events = maps.events().open(EVENT_PAGES, () -> {});
  }

  private ProgramArray calls(String name) {
    return new ProgramArray(ids.getAndIncrement(), name, CiliumMaps.CALLS, _ -> null);
  }

  private void fill(ProgramArray calls, List<ProgramSection> sections) {
    for (ProgramSection section : sections) {
      calls.set(section.slot(), ids.getAndIncrement(), section.program());
    }
  }

  @Override
  public void close() {
    events.close();
  }

  /** Lets a step happen; null if it is no packet. */
  @Nullable Outcome run(Step step) {
    clock.seconds += step.pause();
    return switch (step) {
      case Change change -> {
        change.action().accept(this);
        yield null;
      }
      case Packet packet -> run(packet);
    };
  }

  private Outcome run(Packet packet) {
    MapState expected = MapState.of(maps, policies);
    NodeModel model =
        new NodeModel(
            config, expected, endpoints, vlan -> vlan == ALLOWED_VLAN, modelRandom, clock::seconds);
    SkBuff wanted = buffer(packet);
    SkBuff got = buffer(packet);
    try {
      int expectedVerdict = model.run(packet.hook(), packet.endpoint(), wanted);
      int verdict = TailCalls.run(program(packet), got);
      List<String> differences = new ArrayList<>();
      compare(differences, "verdict", expectedVerdict, verdict);
      boolean atXdp = packet.hook().equals("xdp");
      boolean redirected =
          atXdp
              ? verdict == XdpAction.TX || verdict == XdpAction.REDIRECT
              : verdict == Verdict.REDIRECT;
      compareBuffers(differences, wanted, got, redirected);
      List<MonitorEvent> told = told();
      compare(differences, "events", texts(model.events()), texts(told));
      reached.add(packet.hook() + " " + verdict);
      told.forEach(event -> reached.add(kind(event)));
      compareMaps(differences, expected.changing(), MapState.of(maps, policies).changing());
      return new Outcome(verdict, got.toByteArray(), differences);
    } finally {
      pool.release(wanted);
      pool.release(got);
    }
  }

  private SkBuff buffer(Packet packet) {
    SkBuff buffer = Objects.requireNonNull(pool.take());
    byte[] frame = HexFormat.of().parseHex(packet.frame());
    buffer.setBytes(frame, 0, frame.length);
    buffer.ifindex = RandomStory.NATIVE_IFINDEX;
    buffer.ingressIfindex = RandomStory.NATIVE_IFINDEX;
    buffer.mark = packet.mark();
    buffer.cb0 = packet.sender();
    buffer.cb1 = packet.target();
    buffer.hasTunnelKey = packet.vni() >= 0;
    buffer.tunnelId = Math.max(packet.vni(), 0);
    buffer.vlanPresent = packet.vlan() >= 0;
    buffer.vlanTci = PRIORITY | Math.max(packet.vlan(), 0);
    return buffer;
  }

  private Program program(Packet packet) {
    BpfLxc pod = pods.get(packet.endpoint());
    ProgramSection section =
        switch (packet.hook()) {
          case "from-container" -> Objects.requireNonNull(pod).fromContainer();
          case "to-container" -> Objects.requireNonNull(pod).toContainer();
          case "policy" -> Objects.requireNonNull(pod).handlePolicy();
          case "from-overlay" -> overlay.fromOverlay();
          case "to-overlay" -> overlay.toOverlay();
          case "from-netdev" -> netdev.fromNetdev();
          case "to-netdev" -> netdev.toNetdev();
          case "from-host" -> host.fromHost();
          case "to-host" -> host.toHost();
          case "xdp" -> xdp.fromNetdev();
          default -> throw new IllegalArgumentException("no hook " + packet.hook());
        };
    return section.program();
  }

  private List<MonitorEvent> told() {
    List<MonitorEvent> all = new ArrayList<>();
    for (var record = events.poll(); record != null; record = events.poll()) {
      all.add(Objects.requireNonNull(MonitorEvent.decode(record.bytes())));
    }
    return all;
  }

  // ---- what a story came to

  /** Of what the programs did until now: a hook's verdicts, kinds of events and of entries. */
  Set<String> reached() {
    Set<String> all = new TreeSet<>(reached);
    maps.conntrack().tcp().forEach((key, value) -> addEntry(all, key, value));
    maps.conntrack().any().forEach((key, value) -> addEntry(all, key, value));
    Map<String, BpfMap> others =
        Map.of(
            "fragments", maps.fragments().map(),
            "affinity", maps.services().affinity(),
            "snat", maps.nat().snat(),
            "neighbors", maps.nat().neighbors());
    others.forEach(
        (name, map) -> {
          if (map.size() > 0) {
            all.add(name);
          }
        });
    return all;
  }

  private static void addEntry(Set<String> all, byte[] key, byte[] value) {
    CtTuple tuple = CtTuple.decode(key);
    all.add("ct protocol " + tuple.nexthdr() + " flags " + tuple.flags());
    int flags = CtEntry.decode(value).flags();
    CT_FLAGS.forEach(
        (flag, name) -> {
          if ((flags & flag) != 0) {
            all.add("ct " + name);
          }
        });
  }

  private static String kind(MonitorEvent event) {
    return switch (event) {
      case TraceNotify trace -> "trace " + trace.point() + " reason " + trace.reason();
      case DropNotify drop -> "drop " + drop.reason();
      case PolicyVerdictNotify verdict ->
          "verdict %s protocol %d match %d%s"
              .formatted(
                  verdict.verdict() > 0 ? "proxy" : verdict.verdict(),
                  verdict.protocol(),
                  verdict.match(),
                  verdict.audited() ? " audited" : "");
    };
  }

  // ---- comparing

  private static List<String> texts(List<MonitorEvent> events) {
    return events.stream().map(EventModel::text).toList();
  }

  private static void compareBuffers(
      List<String> differences, SkBuff wanted, SkBuff got, boolean redirected) {
    compare(differences, "packet", hex(wanted), hex(got));
    compare(differences, "mark", wanted.mark, got.mark);
    compare(differences, "tc_index", wanted.tcIndex, got.tcIndex);
    compare(differences, "xfer", wanted.xfer, got.xfer);
    compare(differences, "tunnel key", tunnelKey(wanted), tunnelKey(got));
    if (redirected) {
      compare(differences, "redirect to", wanted.redirectIfindex, got.redirectIfindex);
      compare(differences, "redirect flags", wanted.redirectFlags, got.redirectFlags);
    }
  }

  private static String hex(SkBuff packet) {
    return HexFormat.of().formatHex(packet.toByteArray());
  }

  private static String tunnelKey(SkBuff packet) {
    return "%b %d %s %d"
        .formatted(
            packet.hasTunnelKey,
            packet.tunnelId,
            new Ipv4Address(packet.tunnelRemote),
            packet.tunnelTtl);
  }

  private static void compareMaps(
      List<String> differences, Map<String, String> wanted, Map<String, String> got) {
    TreeSet<String> keys = new TreeSet<>(wanted.keySet());
    keys.addAll(got.keySet());
    for (String key : keys) {
      compare(differences, key, String.valueOf(wanted.get(key)), String.valueOf(got.get(key)));
    }
  }

  private static void compare(List<String> differences, String what, Object wanted, Object got) {
    if (!wanted.equals(got)) {
      differences.add(what + ": the model says " + wanted + ", the programs " + got);
    }
  }
}
