package dev.paramecium.benchmark;

import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.SkBuffPool;
import dev.paramecium.bpf.TailCalls;
import dev.paramecium.datapath.host.BpfHost;
import dev.paramecium.datapath.lxc.BpfLxc;
import dev.paramecium.datapath.overlay.BpfOverlay;
import dev.paramecium.lib.ConntrackTimeouts;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.NodeConfig;
import dev.paramecium.lib.ProgramContext;
import dev.paramecium.lib.ProgramSection;
import dev.paramecium.lib.TraceRecorder;
import dev.paramecium.map.CiliumMaps;
import dev.paramecium.map.PolicyMap;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import dev.paramecium.packet.Ipv4;
import dev.paramecium.packet.Tcp;
import dev.paramecium.packet.TcpOptions;
import dev.paramecium.syscall.PerfRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The maps and programs of node 1 of the reference walk, without devices: a packet is given to a
 * program, and what it does can be looked at or timed.
 *
 * <pre>
 *   curl 10.42.1.80 (id 1180), client 10.42.1.81 (id 1181) here; httpbin 10.42.0.51 on 192.168.1.13
 * </pre>
 */
public class ReferenceNode {

  public static final Ipv4Address CURL = Ipv4Address.parse("10.42.1.80");
  public static final Ipv4Address CLIENT = Ipv4Address.parse("10.42.1.81");
  public static final Ipv4Address HTTPBIN = Ipv4Address.parse("10.42.0.51");
  public static final Ipv4Address WORLD = Ipv4Address.parse("198.51.100.7");
  public static final Ipv4Address VIP = Ipv4Address.parse("10.96.0.10");
  public static final Ipv4Address OTHER_NODE = Ipv4Address.parse("192.168.1.13");

  public static final int CURL_ID = 1180;
  public static final int CLIENT_ID = 1181;
  public static final int CURL_IDENTITY = 27021;
  public static final int CLIENT_IDENTITY = 30010;
  public static final int HTTPBIN_IDENTITY = 15773;
  public static final int WORLD_IDENTITY = 2;
  public static final int CURL_IFINDEX = 12;
  public static final int CLIENT_IFINDEX = 14;
  public static final int VXLAN_IFINDEX = 5;
  public static final int NET_IFINDEX = 3;

  private static final Ipv4Address NODE = Ipv4Address.parse("192.168.1.12");
  private static final Ipv4Address ROUTER = Ipv4Address.parse("10.42.1.247");
  private static final int HOST_ENDPOINT = 3333;
  private static final int POD_CIDR_MASK = 0xffffff00;

  /** A pod of this node. */
  public record Pod(int id, PolicyMap policy, BpfLxc programs) {

    public void allowEgress(int identity, int port, int protocol) {
      put(new PolicyKey(identity, port, protocol, true), PolicyEntry.ALLOW);
    }

    public void allowIngress(int identity, int port, int protocol) {
      put(new PolicyKey(identity, port, protocol, false), PolicyEntry.ALLOW);
    }

    public void denyIngress(int identity, int port, int protocol) {
      put(new PolicyKey(identity, port, protocol, false), PolicyEntry.DENY);
    }

    public void redirectEgress(int identity, int port, int protocol, int proxyPort) {
      put(new PolicyKey(identity, port, protocol, true), new PolicyEntry(proxyPort, false, 0, 0));
    }

    private void put(PolicyKey key, PolicyEntry entry) {
      policy.map().update(key.encode(), entry.encode());
    }
  }

  public final CiliumMaps maps;
  public final Pod curl;
  public final Pod client;
  public final BpfOverlay overlay;
  public final BpfHost host;
  private final AtomicInteger ids = new AtomicInteger(1);
  private final SkBuffPool pool = new SkBuffPool(SkBuffPool.DEFAULT_CAPACITY, 64);
  private final PerfEventArray.Reader events;

  /**
   * @param monitorAggregation as the ConfigMap's {@code monitor-aggregation}: 0 none to 4 maximum
   */
  public ReferenceNode(int monitorAggregation, TraceRecorder recorder, Clock clock) {
    maps = new CiliumMaps(ids::getAndIncrement, 1, _ -> null);
    ProgramContext context =
        new ProgramContext(
            config(monitorAggregation), maps, clock, RandomSource.seeded(1), recorder);
    ProgramArray overlayCalls = calls("cilium_calls_overlay_2");
    overlay = BpfOverlay.compile(context, overlayCalls);
    fill(overlayCalls, overlay.tailCalls());
    ProgramArray hostCalls = calls("cilium_calls_hostns_03333");
    host = BpfHost.compile(context, hostCalls);
    fill(hostCalls, host.tailCalls());
    curl = pod(context, CURL, CURL_ID, CURL_IDENTITY, CURL_IFINDEX);
    client = pod(context, CLIENT, CLIENT_ID, CLIENT_IDENTITY, CLIENT_IFINDEX);
    known("0.0.0.0/0", WORLD_IDENTITY, null);
    known(HTTPBIN + "/32", HTTPBIN_IDENTITY, OTHER_NODE);
    known(NODE + "/32", 1, null);
    maps.lxc().map().update(new EndpointKey(NODE).encode(), EndpointInfo.HOST.encode());
    events = maps.events().open(PerfEventArray.MONITOR_PAGES, () -> {});
  }

  private static NodeConfig config(int monitorAggregation) {
    return new NodeConfig(
        NODE.value(),
        ROUTER.value(),
        POD_CIDR_MASK,
        NodeConfig.DEFAULT_LOOPBACK_IP,
        VXLAN_IFINDEX,
        NET_IFINDEX,
        4,
        0x0211_0000_0003L,
        0x0211_0000_0003L,
        0x0211_0000_0005L,
        HOST_ENDPOINT,
        6,
        NodeConfig.DEFAULT_TUNNEL_PORT,
        monitorAggregation,
        false,
        ConntrackTimeouts.DEFAULT,
        null);
  }

  private Pod pod(ProgramContext context, Ipv4Address ip, int id, int identity, int ifindex) {
    long nodeMac = 0x0e00_0000_0000L | id;
    PolicyMap policy = PolicyMap.create(ids.getAndIncrement(), id);
    ProgramArray calls = calls("cilium_calls_0" + id);
    BpfLxc programs =
        BpfLxc.compile(
            context, new EndpointProgramConfig(id, identity, ip.value(), nodeMac), policy, calls);
    fill(calls, programs.tailCalls());
    maps.policyCalls().set(id, ids.getAndIncrement(), programs.handlePolicy().program());
    maps.lxc()
        .map()
        .update(
            new EndpointKey(ip).encode(),
            new EndpointInfo(
                    ifindex, id, 0, new MacAddress(0x0a00_0000_0000L | id), new MacAddress(nodeMac))
                .encode());
    known(ip + "/32", identity, null);
    return new Pod(id, policy, programs);
  }

  private ProgramArray calls(String name) {
    return new ProgramArray(ids.getAndIncrement(), name, CiliumMaps.CALLS, _ -> null);
  }

  private void fill(ProgramArray calls, List<ProgramSection> sections) {
    for (ProgramSection section : sections) {
      calls.set(section.slot(), ids.getAndIncrement(), section.program());
    }
  }

  /** An ipcache entry. */
  public final void known(String prefix, int identity, @Nullable Ipv4Address tunnelEndpoint) {
    maps.ipcache()
        .map()
        .update(
            new IpcacheKey(Ipv4Prefix.parse(prefix)).encode(),
            new RemoteEndpointInfo(
                    identity, tunnelEndpoint == null ? new Ipv4Address(0) : tunnelEndpoint)
                .encode());
  }

  /** A ClusterIP service on port 80 with one backend on port 8080. */
  public void service(Ipv4Address address, int revNatIndex, int backendId, Ipv4Address backend) {
    Lb4Key key = new Lb4Key(address, 80);
    maps.services()
        .services()
        .update(key.encode(), new Lb4Service(0, 1, revNatIndex, 0, 0).encode());
    maps.services()
        .services()
        .update(
            key.withBackendSlot(1).encode(),
            new Lb4Service(backendId, 0, revNatIndex, 0, 0).encode());
    maps.services()
        .backends()
        .update(
            Lb4Backend.encodeKey(backendId),
            new Lb4Backend(backend, 8080, 0, Lb4Backend.ACTIVE).encode());
    maps.services()
        .reverseNat()
        .update(Lb4ReverseNat.encodeKey(revNatIndex), new Lb4ReverseNat(address, 80).encode());
  }

  // ---- packets

  /** A TCP segment without payload. */
  public SkBuff tcp(
      Ipv4Address source, int sourcePort, Ipv4Address destination, int port, int flags) {
    return tcp(source, sourcePort, destination, port, flags, 0, 64);
  }

  public SkBuff tcp(
      Ipv4Address source,
      int sourcePort,
      Ipv4Address destination,
      int port,
      int flags,
      int payload,
      int ttl) {
    Ipv4.Header ip =
        new Ipv4.Header(
            1, ttl, IpProtocol.TCP, source, destination, Tcp.MIN_HEADER_LENGTH + payload);
    byte[] frame =
        new byte[Ethernet.HEADER_LENGTH + Ipv4.MIN_HEADER_LENGTH + Tcp.MIN_HEADER_LENGTH + payload];
    int at =
        new Ethernet.Header(
                new MacAddress(0x0e00_0000_0001L),
                new MacAddress(0x0a00_0000_0001L),
                EtherType.IPV4)
            .encode(frame, 0);
    at = ip.encode(frame, at);
    new Tcp.Header(sourcePort, port, 1, 1, flags, 65535, 0, TcpOptions.Value.NONE)
        .encode(frame, at, payload, ip.pseudoHeader());
    SkBuff packet = Objects.requireNonNull(pool.take());
    packet.setBytes(frame, 0, frame.length);
    return packet;
  }

  /** Gives a packet's buffer back. */
  public void release(SkBuff packet) {
    pool.release(packet);
  }

  public static int run(ProgramSection section, SkBuff packet) {
    return TailCalls.run(section.program(), packet);
  }

  /** Runs from-overlay on what came with this identity as network identifier. */
  public int runFromOverlay(SkBuff packet, int vni) {
    packet.hasTunnelKey = true;
    packet.tunnelId = vni;
    packet.tunnelRemote = OTHER_NODE.value();
    return run(overlay.fromOverlay(), packet);
  }

  // ---- checks

  /** What the programs told since the last call. */
  public List<MonitorEvent> events() {
    List<MonitorEvent> all = new ArrayList<>();
    for (PerfRecord record = events.poll(); record != null; record = events.poll()) {
      all.add(Objects.requireNonNull(MonitorEvent.decode(record.bytes())));
    }
    return all;
  }

  /** Reads what the programs told and forgets it. */
  public void skipEvents() {
    while (events.read((_, _, _, _, _, _) -> {})) {
      // The next one.
    }
  }

  /** No event is made from now on. */
  public void stopReadingEvents() {
    events.close();
  }

  /** Packets that were counted for a reason in a direction. */
  public long counted(int reason, int direction) {
    byte[] value = maps.metrics().map().lookup(new MetricsKey(reason, direction).encode());
    return value == null ? 0 : MetricsValue.decode(value).count();
  }
}
