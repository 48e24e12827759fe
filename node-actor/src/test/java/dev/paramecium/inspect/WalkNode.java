package dev.paramecium.inspect;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.EndpointKey;
import dev.paramecium.abi.IpcacheKey;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Ipv4NatEntry;
import dev.paramecium.abi.Ipv4Prefix;
import dev.paramecium.abi.Lb4Backend;
import dev.paramecium.abi.Lb4Key;
import dev.paramecium.abi.Lb4ReverseNat;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MacAddress;
import dev.paramecium.abi.MapNames;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MetricsValue;
import dev.paramecium.abi.PolicyEntry;
import dev.paramecium.abi.PolicyKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.bpf.BpfHashMap;
import dev.paramecium.bpf.BpfMap;
import dev.paramecium.bpf.Clock;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.PerCpuHashMap;
import dev.paramecium.bpf.PerfEventArray;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.container.process.NamespaceView;
import dev.paramecium.container.process.SocketInfo;
import dev.paramecium.syscall.DatapathConfig;
import dev.paramecium.syscall.LinkInfo;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Node 1 of the packet walk, with the walk's own names and numbers. */
public final class WalkNode implements KernelView {

  public static final String NETNS = "cni-407cd7d8-7c02-cfa7-bf93-22946f923ffd";
  public static final String LXC = "lxc48c4aa0637ce";

  static final LinkInfo LO =
      link(1, "lo", LinkInfo.Kind.LOOPBACK, "00:00:00:00:00:00", 65536, 0, "", "");
  static final LinkInfo POD_LO =
      link(1, "lo", LinkInfo.Kind.LOOPBACK, "00:00:00:00:00:00", 65536, 0, NETNS, "");
  static final LinkInfo POD_ETH0 =
      link(42, "eth0", LinkInfo.Kind.VETH, "f6:00:50:f9:92:a1", 1500, 43, NETNS, "");

  private final BpfMap ipcache =
      LpmTrie.withStaticWord(86, MapNames.IPCACHE, 24, 12, 512000, 1 << 24);
  private final BpfMap lxc = BpfHashMap.hash(572, MapNames.LXC, 20, 48, 65535);
  private final BpfMap tunnel = BpfHashMap.hash(80, MapNames.TUNNEL, 20, 20, 65536);
  private final BpfMap policy = BpfHashMap.hash(600, MapNames.policyMapName(1180), 8, 24, 16384);
  private final BpfMap ct = BpfHashMap.lru(90, MapNames.CT4_GLOBAL, 14, 56, 524288);
  private final BpfMap ctAny = BpfHashMap.lru(91, MapNames.CT_ANY4_GLOBAL, 14, 56, 262144);
  private final BpfMap nat = BpfHashMap.lru(92, MapNames.SNAT_V4_EXTERNAL, 14, 40, 524288);
  private final BpfMap metrics = new PerCpuHashMap(93, MapNames.METRICS, 8, 16, 1024, 2);
  private final BpfMap services = BpfHashMap.hash(94, MapNames.LB4_SERVICES, 12, 12, 65536);
  private final BpfMap backends = BpfHashMap.hash(95, MapNames.LB4_BACKENDS, 4, 8, 65536);
  private final BpfMap reverseNat = BpfHashMap.hash(96, MapNames.LB4_REVERSE_NAT, 2, 6, 65536);
  private final ProgramArray callPolicy =
      new ProgramArray(97, MapNames.CALL_POLICY, 65535, id -> id == 2903 ? _ -> Verdict.OK : null);
  private final LpmTrie ipmasq = LpmTrie.plain(99, MapNames.IPMASQ_V4, 1, 16384);
  private final PerfEventArray events = new PerfEventArray(98, MapNames.EVENTS, 2);
  private final List<EventQueue<KernelView.Frame>> taps = new ArrayList<>();

  public WalkNode() {
    put(ipcache, new IpcacheKey(Ipv4Prefix.parse("0.0.0.0/0")).encode(), remote(2, "0.0.0.0"));
    put(ipcache, ipcacheKey("10.42.0.51"), remote(15773, "192.168.1.13"));
    put(ipcache, ipcacheKey("10.42.1.80"), remote(27021, "0.0.0.0"));
    put(lxc, new EndpointKey(ip("192.168.1.12")).encode(), EndpointInfo.HOST.encode());
    put(
        lxc,
        new EndpointKey(ip("10.42.1.80")).encode(),
        new EndpointInfo(43, 1180, 0, POD_ETH0.mac(), MacAddress.parse("ae:36:76:3e:c3:03"))
            .encode());
    put(
        tunnel,
        new EndpointKey(ip("10.42.0.0")).encode(),
        new EndpointKey(ip("192.168.1.13")).encode());
    put(
        policy,
        new PolicyKey(1, 0, 0, false).encode(),
        new PolicyEntry(0, false, 12, 1024).encode());
    put(policy, new PolicyKey(15773, 80, 6, false).encode(), PolicyEntry.ALLOW.encode());
    put(policy, new PolicyKey(0, 0, 0, true).encode(), PolicyEntry.ALLOW.encode());
    put(policy, new PolicyKey(2, 0, 0, true).encode(), PolicyEntry.DENY.encode());
    put(
        ct,
        new CtTuple(ip("10.42.1.80"), ip("10.42.0.51"), 80, 41212, 6, CtTuple.OUT).encode(),
        new CtEntry(5, 1034, 6, 480, 1060, 0x13, 0, 0, 0x1b, 0x1b, 27021, 1000, 1001).encode());
    put(
        nat,
        new CtTuple(ip("1.1.1.1"), ip("10.42.1.80"), 53, 5000, 17, CtTuple.OUT).encode(),
        new Ipv4NatEntry(990_000_000_000L, 0, ip("192.168.1.12"), 5000).encode());
    put(metrics, new MetricsKey(133, MetricsKey.INGRESS).encode(), perCpu(1, 74, 2, 148));
    put(metrics, new MetricsKey(0, MetricsKey.EGRESS).encode(), perCpu(10, 1000, 0, 0));
    Lb4Key dns = new Lb4Key(ip("10.96.0.10"), 53);
    put(services, dns.encode(), new Lb4Service(0, 2, 3, 0, 0).encode());
    put(services, dns.withBackendSlot(1).encode(), new Lb4Service(5, 0, 3, 0, 0).encode());
    put(services, dns.withBackendSlot(2).encode(), new Lb4Service(9, 0, 3, 0, 0).encode());
    put(
        backends,
        Lb4Backend.encodeKey(5),
        new Lb4Backend(ip("10.42.0.112"), 53, 0, Lb4Backend.ACTIVE).encode());
    put(reverseNat, Lb4ReverseNat.encodeKey(3), new Lb4ReverseNat(ip("10.96.0.10"), 53).encode());
    put(ipmasq, new byte[] {8, 0, 0, 0, 10, 0, 0, 0}, new byte[1]);
    put(ipmasq, new byte[] {16, 0, 0, 0, (byte) 192, (byte) 168, 0, 0}, new byte[1]);
    put(callPolicy, new byte[] {(byte) 0x9c, 4, 0, 0}, new byte[] {0x57, 0x0b, 0, 0});
  }

  private static void put(BpfMap map, byte[] key, byte[] value) {
    if (map.update(key, value) != null) {
      throw new AssertionError(map.name() + " does not take the entry");
    }
  }

  private static byte[] perCpu(long count0, long bytes0, long count1, long bytes1) {
    byte[] value = new byte[32];
    System.arraycopy(new MetricsValue(count0, bytes0).encode(), 0, value, 0, 16);
    System.arraycopy(new MetricsValue(count1, bytes1).encode(), 0, value, 16, 16);
    return value;
  }

  static Ipv4Address ip(String text) {
    return Ipv4Address.parse(text);
  }

  private static byte[] ipcacheKey(String address) {
    return new IpcacheKey(ip(address)).encode();
  }

  private static byte[] remote(int identity, String tunnel) {
    return new RemoteEndpointInfo(identity, ip(tunnel)).encode();
  }

  private static LinkInfo link(
      int ifindex,
      String name,
      LinkInfo.Kind kind,
      String mac,
      int mtu,
      int peer,
      String netns,
      String peerNetns) {
    return new LinkInfo(ifindex, name, kind, MacAddress.parse(mac), mtu, peer, netns, peerNetns);
  }

  /** Hands a record to whoever follows the events. */
  public void emit(int cpu, byte[] bytes) {
    events.output(cpu, 0, bytes);
  }

  /** A frame passes a device; times count from the clock's boot. */
  public void pass(long timestampNs, int ifindex, boolean outgoing, byte[] bytes) {
    taps.forEach(
        tap ->
            tap.offer(new KernelView.Frame(timestampNs, ifindex, outgoing, bytes, bytes.length)));
  }

  /** How many tools listen. */
  public int listeners() {
    return (events.isRead() ? 1 : 0) + taps.size();
  }

  @Override
  public String nodeName() {
    return "ubuntu-dev2";
  }

  @Override
  public Clock clock() {
    return new Clock() {
      @Override
      public long nanos() {
        return 1_000_000_000_000L;
      }

      @Override
      public long epochMs() {
        return 1_673_292_592_000L;
      }
    };
  }

  @Override
  public int possibleCpus() {
    return 2;
  }

  @Override
  public @Nullable DatapathConfig config() {
    return new DatapathConfig(
        "ubuntu-dev2",
        ip("192.168.1.12"),
        ip("10.42.1.247"),
        Ipv4Prefix.parse("10.42.1.0/24"),
        Ipv4Prefix.parse("10.42.0.0/16"),
        1500,
        0);
  }

  private static Link up(LinkInfo info, boolean noArp, String qdisc, boolean clsact) {
    return new Link(info, true, true, noArp, qdisc, clsact, "", Counters.ZERO);
  }

  @Override
  public List<Link> links() {
    LinkInfo eth0 = link(2, "eth0", LinkInfo.Kind.ETHERNET, "02:fc:00:00:00:01", 1500, 0, "", "");
    Counters counters = new Counters(31, 3293, 0, 0, 7, 12345678901L, 0, 1);
    return List.of(
        up(LO, false, "noqueue", false),
        new Link(eth0, true, true, false, "fq_codel", true, "", counters),
        up(
            link(3, "cilium_net", LinkInfo.Kind.VETH, "5a:5f:01:20:17:f9", 1500, 4, "", ""),
            true,
            "noqueue",
            true),
        up(
            link(4, "cilium_host", LinkInfo.Kind.VETH, "36:61:b7:8b:10:ec", 1500, 3, "", ""),
            true,
            "noqueue",
            true),
        up(
            link(5, "cilium_vxlan", LinkInfo.Kind.VXLAN, "f6:f3:a5:82:6a:ee", 1500, 0, "", ""),
            false,
            "noqueue",
            true),
        up(POD_LO, false, "noqueue", false),
        up(POD_ETH0, false, "noqueue", false),
        up(
            link(43, LXC, LinkInfo.Kind.VETH, "ae:36:76:3e:c3:03", 1500, 42, "", NETNS),
            false,
            "noqueue",
            true));
  }

  @Override
  public List<String> namespaces() {
    return List.of(NETNS);
  }

  @Override
  public List<Attachment> attachments() {
    return List.of(
        new Attachment(43, AttachPoint.INGRESS, 1, 1, 2901),
        new Attachment(5, AttachPoint.EGRESS, 1, 1, 2707),
        new Attachment(5, AttachPoint.INGRESS, 1, 1, 2699),
        new Attachment(2, AttachPoint.INGRESS, 1, 1, 2823));
  }

  @Override
  public List<CgroupAttachment> cgroupAttachments() {
    return List.of(new CgroupAttachment("/sys/fs/cgroup", "connect4", 2600));
  }

  private static ProgramInfo program(
      int id, String type, String function, String object, String section, List<Integer> maps) {
    return new ProgramInfo(
        id,
        type,
        function,
        object,
        section,
        0xd578585f7e71464bL,
        1_673_292_592_000L,
        688,
        589,
        4096,
        maps,
        301,
        0,
        0);
  }

  @Override
  public List<ProgramInfo> programs() {
    return List.of(
        program(
            2600, "cgroup_sock_addr", "sock4_connect", "bpf_sock.o", "cgroup/connect4", List.of()),
        program(2699, "sched_cls", "from_overlay", "bpf_overlay.o", "from-overlay", List.of(86)),
        program(2707, "sched_cls", "to_overlay", "bpf_overlay.o", "to-overlay", List.of(86)),
        program(2823, "sched_cls", "from_netdev", "bpf_netdev_eth0.o", "from-netdev", List.of(86)),
        program(
            2901, "sched_cls", "handle_xgress", "bpf_lxc.o", "from-container", List.of(572, 86)),
        program(2903, "sched_cls", "tail_ipv4_to_endpoint", "bpf_lxc.o", "2/13", List.of(572, 86)));
  }

  @Override
  public List<BpfMap> maps() {
    return List.of(
        ipcache,
        lxc,
        tunnel,
        policy,
        ct,
        ctAny,
        nat,
        metrics,
        services,
        backends,
        ipmasq,
        reverseNat,
        callPolicy);
  }

  @Override
  public PerfEventArray.Reader openPerfRing(Runnable wakeup) {
    return events.open(PerfEventArray.MONITOR_PAGES, wakeup);
  }

  @Override
  public Subscription openPacketTap(
      int ifindex, int snapLength, EventQueue<KernelView.Frame> frames) {
    taps.add(frames);
    return () -> taps.remove(frames);
  }

  // ---- the namespaces that the tools run in

  private record Namespace(
      List<LinkInfo> links, List<Address> addresses, List<Route> routes, List<Neighbour> neighbours)
      implements NamespaceView {

    @Override
    public List<SocketInfo> sockets() {
      return List.of();
    }

    @Override
    public Statistics statistics(int ifindex) {
      return Statistics.ZERO;
    }

    @Override
    public @Nullable Route routeTo(Ipv4Address destination) {
      Route best = null;
      for (Route route : routes) {
        if (route.destination().contains(destination)
            && (best == null || route.destination().length() > best.destination().length())) {
          best = route;
        }
      }
      return best;
    }
  }

  /** The curl pod's. */
  public static NamespaceView pod() {
    Ipv4Address router = ip("10.42.1.247");
    return new Namespace(
        List.of(POD_LO, POD_ETH0),
        List.of(
            new NamespaceView.Address("lo", ip("127.0.0.1"), 8, "host"),
            new NamespaceView.Address("eth0", ip("10.42.1.80"), 32, "global")),
        List.of(
            new NamespaceView.Route(
                Ipv4Prefix.parse("10.42.1.247/32"), null, "eth0", null, "link", "boot"),
            new NamespaceView.Route(
                Ipv4Prefix.parse("0.0.0.0/0"), router, "eth0", null, "global", "boot")),
        List.of(
            new NamespaceView.Neighbour(
                router, "eth0", MacAddress.parse("ae:36:76:3e:c3:03"), "REACHABLE")));
  }

  /** The node's. */
  public static NamespaceView host() {
    Ipv4Address router = ip("10.42.1.247");
    return new Namespace(
        List.of(LO),
        List.of(
            new NamespaceView.Address("lo", ip("127.0.0.1"), 8, "host"),
            new NamespaceView.Address("eth0", ip("192.168.1.12"), 24, "global"),
            new NamespaceView.Address("cilium_host", router, 32, "link")),
        List.of(
            new NamespaceView.Route(
                Ipv4Prefix.parse("192.168.1.0/24"),
                null,
                "eth0",
                ip("192.168.1.12"),
                "link",
                "kernel"),
            new NamespaceView.Route(
                Ipv4Prefix.parse("10.42.1.0/24"), router, "cilium_host", router, "global", "boot")),
        List.of(
            new NamespaceView.Neighbour(
                ip("192.168.1.13"), "eth0", MacAddress.parse("00:11:22:33:44:55"), "PERMANENT"),
            new NamespaceView.Neighbour(
                ip("192.168.1.14"), "eth0", MacAddress.parse("00:11:22:33:44:56"), "STALE"),
            new NamespaceView.Neighbour(ip("192.168.1.99"), "eth0", null, "FAILED")));
  }

  /** A command on the node. */
  public ToolRun run(String commandLine) {
    return ToolRun.run(
        HostTools.create(this, IdentityLabels.RESERVED, AgentSocket.CLOSED), host(), commandLine);
  }

  /** A command in the curl pod. */
  public static ToolRun runInPod(String commandLine) {
    return ToolRun.run(PodTools.create(), pod(), commandLine);
  }
}
