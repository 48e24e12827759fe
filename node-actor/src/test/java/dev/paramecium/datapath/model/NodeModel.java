package dev.paramecium.datapath.model;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.MonitorEvent;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.RandomSource;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.bpf.XdpAction;
import dev.paramecium.lib.EndpointProgramConfig;
import dev.paramecium.lib.NodeConfig;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** A node: its maps, its endpoints, and what runs at each hook of its devices. */
public final class NodeModel {

  private static final int IPV4 = 0x800;
  private static final int IPV6 = 0x86dd;

  final NodeConfig config;
  final MapState maps;
  final EventModel events;
  final ConntrackModel conntrack;
  final PolicyModel policy;
  final ServiceModel services;
  final RandomSource random;
  final IntSupplier clock;
  private final IntPredicate vlans;
  private final Map<Integer, LxcModel> endpoints = new HashMap<>();
  private final Program overlay;
  private final Program host;
  private final Program netdev;
  private final Program xdp;
  private int sourceIdentity;

  /**
   * @param vlans whose frames may pass the native device
   * @param random with the same seed as the programs'
   * @param clock seconds since boot
   */
  public NodeModel(
      NodeConfig config,
      MapState maps,
      List<EndpointProgramConfig> endpoints,
      IntPredicate vlans,
      RandomSource random,
      IntSupplier clock) {
    this.config = config;
    this.maps = maps;
    this.vlans = vlans;
    this.random = random;
    this.clock = clock;
    this.events = new EventModel(maps, config.monitorAggregation());
    this.conntrack = new ConntrackModel(maps, config.timeouts(), clock);
    this.policy = new PolicyModel(maps, config);
    this.services = new ServiceModel(maps, config, conntrack, random, clock);
    boolean maglev = config.nodePort() != null && config.nodePort().maglev();
    int hostEndpoint = config.hostEndpointId();
    this.overlay = new Program(this, 0, Program.WORLD, false, maglev);
    this.host = new Program(this, hostEndpoint, Program.HOST, true, maglev);
    this.netdev = new Program(this, hostEndpoint, Program.HOST, true, maglev);
    this.xdp = new Program(this, 0, Program.WORLD, false, maglev);
    for (EndpointProgramConfig endpoint : endpoints) {
      this.endpoints.put(endpoint.id(), new LxcModel(this, endpoint));
    }
  }

  public MapState maps() {
    return maps;
  }

  /** What was told since the last call. */
  public List<MonitorEvent> events() {
    List<MonitorEvent> told = List.copyOf(events.all);
    events.all.clear();
    return told;
  }

  /**
   * Runs a hook's program on a packet, which becomes what the program makes of it.
   *
   * @param hook as the vectors name it
   * @param endpoint whose program it is, where that makes a difference
   */
  public int run(String hook, int endpoint, SkBuff packet) {
    Frame frame = Frame.of(packet);
    int verdict =
        switch (hook) {
          case "from-container" -> of(endpoint).fromContainer(frame);
          case "to-container" -> of(endpoint).toContainer(frame);
          case "policy" -> of(endpoint).handlePolicy(frame);
          case "from-overlay" -> fromOverlay(frame);
          case "to-overlay" -> toOverlay(frame);
          case "from-netdev" -> fromNetdev(frame);
          case "to-netdev" -> toNetdev(frame);
          case "from-host" -> fromHost(frame);
          case "to-host" -> toHost(frame);
          case "xdp" -> fromNetdevXdp(frame);
          default -> throw new IllegalArgumentException("no hook " + hook);
        };
    frame.writeBack();
    return verdict;
  }

  private LxcModel of(int endpoint) {
    LxcModel found = endpoints.get(endpoint);
    if (found == null) {
      throw new IllegalArgumentException("no endpoint " + endpoint);
    }
    return found;
  }

  private @Nullable NodePortModel nodePort(Program program, TracePoint observation, boolean xdp) {
    return config.nodePort() == null
        ? null
        : new NodePortModel(program, config.nodePort(), observation, xdp);
  }

  /** {@code ipv4_local_delivery}. */
  int deliver(Program program, Frame frame, int identity, EndpointInfo to, int direction) {
    frame.forward();
    frame.setMacs(to.mac().value(), to.nodeMac().value());
    if (program.countsDelivery()) {
      maps.count(DropReason.SUCCESS, direction, frame.length());
    }
    frame.cb[0] = identity;
    frame.cb[1] = to.ifindex();
    LxcModel endpoint = endpoints.get(to.lxcId());
    if (endpoint == null) {
      throw new Drop(DropReason.MISSED_TAIL_CALL);
    }
    return endpoint.handlePolicy(frame);
  }

  private int drop(Program program, Frame frame, int reason, int source, int direction) {
    return events.drop(frame, program.source(), reason, source, 0, 0, direction);
  }

  // ---- bpf_overlay.c

  private int fromOverlay(Frame frame) {
    Arrays.fill(frame.cb, 0);
    frame.tcIndex &= ~Program.SKIP_NODEPORT;
    if (frame.etherType() < 0) {
      return Verdict.OK;
    }
    if (isDecrypted(frame)) {
      events.arrival(
          frame,
          0,
          TracePoint.FROM_STACK,
          Program.identityOfMark(frame.mark),
          frame.skb.ingressIfindex);
    } else {
      events.arrival(frame, 0, TracePoint.FROM_OVERLAY, 0, frame.skb.ingressIfindex);
    }
    return switch (frame.etherType()) {
      case IPV4 -> tailFromOverlay(frame);
      case IPV6 -> drop(overlay, frame, DropReason.UNKNOWN_L3, 0, MetricsKey.INGRESS);
      default -> Verdict.OK;
    };
  }

  private static boolean isDecrypted(Frame frame) {
    return (frame.mark & Program.MARK_MASK) == Program.MARK_DECRYPT;
  }

  private int tailFromOverlay(Frame frame) {
    sourceIdentity = 0;
    try {
      return handleFromOverlay(frame);
    } catch (Drop drop) {
      return drop(overlay, frame, drop.reason, sourceIdentity, MetricsKey.INGRESS);
    }
  }

  private int handleFromOverlay(Frame frame) {
    frame.needsIpv4();
    @Nullable NodePortModel nodePort = nodePort(overlay, TracePoint.TO_OVERLAY, false);
    if (nodePort != null && (frame.tcIndex & Program.SKIP_NODEPORT) == 0) {
      Integer done = nodePort.loadBalance(frame, 0, () -> tailFromOverlay(frame));
      if (done != null) {
        return done;
      }
    }
    sourceIdentity = overlaySource(frame);
    EndpointInfo local = maps.endpoints.get(frame.destination());
    if (local != null && !local.isHost()) {
      return deliver(overlay, frame, sourceIdentity, local, MetricsKey.INGRESS);
    }
    frame.forward();
    frame.setMacs(config.hostIfindexMac(), config.overlayMac());
    return Program.redirect(frame, config.hostIfindex());
  }

  private int overlaySource(Frame frame) {
    if (isDecrypted(frame)) {
      return Program.identityOfMark(frame.mark);
    }
    if (!frame.hasTunnelKey) {
      throw new Drop(DropReason.NO_TUNNEL_KEY);
    }
    sourceIdentity = frame.tunnelId;
    if (sourceIdentity == Program.HOST) {
      throw new Drop(DropReason.INVALID_IDENTITY);
    }
    RemoteEndpointInfo known =
        Program.isRemoteNode(sourceIdentity) ? maps.ipcache(frame.source()) : null;
    return known == null ? sourceIdentity : known.securityIdentity();
  }

  private int toOverlay(Frame frame) {
    @Nullable NodePortModel nodePort = nodePort(overlay, TracePoint.TO_OVERLAY, false);
    return nodePort == null || isSnatDone(frame) ? Verdict.OK : nodePort.forward(frame);
  }

  private static boolean isSnatDone(Frame frame) {
    return (frame.mark & Program.MARK_SNAT_DONE) == Program.MARK_SNAT_DONE;
  }

  // ---- bpf_host.c, of a native device

  private static boolean isTagged(Frame frame) {
    return frame.skb.vlanPresent && (frame.skb.vlanTci & 0xfff) != 0;
  }

  /** {@code allow_vlan}: what may pass is nobody else's business here. */
  private int filterVlan(Frame frame, int direction) {
    return vlans.test(frame.skb.vlanTci & 0xfff)
        ? Verdict.OK
        : drop(netdev, frame, DropReason.VLAN_FILTERED, 0, direction);
  }

  private int fromNetdev(Frame frame) {
    if (isTagged(frame)) {
      return filterVlan(frame, MetricsKey.INGRESS);
    }
    if (frame.etherType() < 0) {
      events.departure(frame, netdev.source(), TracePoint.TO_STACK, Program.HOST, 0);
      return Verdict.OK;
    }
    frame.tcIndex &= ~Program.SKIP_NODEPORT;
    events.arrival(frame, netdev.source(), TracePoint.FROM_NETWORK, 0, frame.skb.ingressIfindex);
    Arrays.fill(frame.cb, 0);
    if (frame.etherType() != IPV4) {
      return Verdict.OK;
    }
    frame.cb[0] = frame.has(Frame.IP, 20) ? networkSource(frame) : -DropReason.INVALID;
    return tailFromNetdev(frame);
  }

  private int networkSource(Frame frame) {
    if (config.tunnel()) {
      return Program.WORLD;
    }
    int known = netdev.resolve(frame, Program.WORLD);
    return known < 3 || Program.isRemoteNode(known) ? Program.WORLD : known;
  }

  private int tailFromNetdev(Frame frame) {
    int identity = frame.cb[0];
    frame.cb[0] = 0;
    try {
      frame.needsIpv4();
      @Nullable NodePortModel nodePort = nodePort(netdev, TracePoint.TO_NETWORK, false);
      boolean skips = frame.xfer == 1 || (frame.tcIndex & Program.SKIP_NODEPORT) != 0;
      Integer done =
          nodePort == null || skips
              ? null
              : nodePort.loadBalance(frame, identity, () -> tailFromNetdev(frame));
      return done == null ? Verdict.OK : done;
    } catch (Drop drop) {
      return drop(netdev, frame, drop.reason, identity, MetricsKey.INGRESS);
    }
  }

  private int toNetdev(Frame frame) {
    if (isTagged(frame)) {
      return filterVlan(frame, MetricsKey.EGRESS);
    }
    @Nullable NodePortModel nodePort = nodePort(netdev, TracePoint.TO_NETWORK, false);
    if (nodePort != null && nodePort.translatesAtDevice() && !isSnatDone(frame)) {
      return nodePort.forward(frame);
    }
    events.departure(frame, netdev.source(), TracePoint.TO_NETWORK, 0, 0);
    return Verdict.OK;
  }

  // ---- bpf_host.c, of cilium_host

  private int fromHost(Frame frame) {
    if (frame.etherType() < 0) {
      events.departure(frame, host.source(), TracePoint.TO_STACK, Program.HOST, 0);
      return Verdict.OK;
    }
    boolean fromProxy = Program.isFromProxy(frame.mark);
    int identity = Program.inheritIdentity(frame);
    events.arrival(
        frame,
        host.source(),
        fromProxy ? TracePoint.FROM_PROXY : TracePoint.FROM_HOST,
        identity,
        frame.skb.ingressIfindex);
    if (frame.etherType() != IPV4) {
      return Verdict.OK;
    }
    int source = frame.has(Frame.IP, 20) ? host.resolve(frame, identity) : -DropReason.INVALID;
    try {
      return handleFromHost(frame, source);
    } catch (Drop drop) {
      return drop(host, frame, drop.reason, source, MetricsKey.INGRESS);
    }
  }

  private int handleFromHost(Frame frame, int source) {
    frame.needsIpv4();
    frame.setMac(0, config.ciliumNetMac());
    EndpointInfo local = maps.endpoints.get(frame.destination());
    if (local != null) {
      return local.isHost() ? Verdict.OK : deliver(host, frame, source, local, MetricsKey.INGRESS);
    }
    Ipv4Address behind = host.tunnelEndpoint(frame.destination());
    if (config.tunnel() && host.throughTunnel(frame, behind, source, 5, true)) {
      return Verdict.REDIRECT;
    }
    RemoteEndpointInfo known = maps.ipcache(frame.destination());
    if (known == null || known.securityIdentity() == Program.WORLD) {
      throw new Drop(DropReason.UNROUTABLE);
    }
    return Verdict.OK;
  }

  private int toHost(Frame frame) {
    int magic = frame.cb[0];
    int source = 0;
    if ((magic & Program.MARK_MASK) == Program.MARK_ENCRYPT) {
      source = frame.cb[1];
      frame.mark = magic & 0xff00 | (source & 0xffff) << 16 | (source & 0xff0000) >>> 16;
    } else if ((magic & 0xffff) == Program.MARK_TO_PROXY) {
      return Program.toProxy(frame, magic >>> 16);
    }
    events.departure(frame, host.source(), TracePoint.TO_STACK, source, config.ciliumIfindex());
    return Verdict.OK;
  }

  // ---- bpf_xdp.c, with NodePort acceleration

  private int fromNetdevXdp(Frame frame) {
    frame.xfer = 0;
    frame.tcIndex &= ~Program.SKIP_NODEPORT;
    return frame.etherType() == IPV4 ? xdpAction(frame, tailXdp(frame)) : XdpAction.PASS;
  }

  private int tailXdp(Frame frame) {
    @Nullable NodePortModel nodePort = nodePort(xdp, TracePoint.TO_NETWORK, true);
    // cilium-agent refuses acceleration with a tunnel.
    if (nodePort == null || config.tunnel() || (frame.tcIndex & Program.SKIP_NODEPORT) != 0) {
      return Verdict.OK;
    }
    try {
      frame.needsIpv4();
      Integer done = nodePort.loadBalance(frame, 0, () -> tailXdp(frame));
      return done == null ? Verdict.OK : done;
    } catch (Drop drop) {
      return drop(xdp, frame, drop.reason, 0, MetricsKey.INGRESS);
    }
  }

  /** What CTX_ACT_… means at this hook. */
  private static int xdpAction(Frame frame, int verdict) {
    return switch (verdict) {
      case Verdict.OK -> {
        frame.mark = 0;
        frame.tcIndex = 0;
        yield XdpAction.PASS;
      }
      case Verdict.SHOT -> XdpAction.DROP;
      case Verdict.REDIRECT ->
          frame.redirectIfindex == frame.skb.ingressIfindex ? XdpAction.TX : XdpAction.REDIRECT;
      default -> XdpAction.ABORTED;
    };
  }
}
