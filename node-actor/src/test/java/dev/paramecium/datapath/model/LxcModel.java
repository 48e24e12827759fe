package dev.paramecium.datapath.model;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.datapath.model.ConntrackModel.Direction;
import dev.paramecium.datapath.model.ConntrackModel.Lookup;
import dev.paramecium.datapath.model.ConntrackModel.State;
import dev.paramecium.datapath.model.PolicyModel.Decision;
import dev.paramecium.datapath.model.ServiceModel.Service;
import dev.paramecium.lib.EndpointProgramConfig;
import org.jspecify.annotations.Nullable;

/** {@code bpf_lxc.c} of one endpoint. */
final class LxcModel {

  private static final int ARP = 0x806;
  private static final int IPV4 = 0x800;
  private static final long BROADCAST = 0xffff_ffff_ffffL;

  private final NodeModel node;
  private final EndpointProgramConfig endpoint;
  private final Program program;
  private final @Nullable NodePortModel nodePort;
  private int destinationIdentity;

  LxcModel(NodeModel node, EndpointProgramConfig endpoint) {
    this.node = node;
    this.endpoint = endpoint;
    this.program = new Program(node, endpoint.id(), endpoint.securityIdentity(), true, false);
    this.nodePort =
        node.config.nodePort() == null
            ? null
            : new NodePortModel(program, node.config.nodePort(), TracePoint.TO_NETWORK, false);
  }

  private int own() {
    return endpoint.securityIdentity();
  }

  // ---- from-container

  int fromContainer(Frame frame) {
    java.util.Arrays.fill(frame.cb, 0);
    node.events.arrival(frame, endpoint.id(), TracePoint.FROM_LXC, own(), 0);
    return switch (frame.etherType()) {
      case -1 -> droppedEgress(frame, DropReason.UNSUPPORTED_L2, 0);
      case IPV4 -> tailHandleIpv4(frame);
      case ARP -> tailHandleArp(frame);
      default -> droppedEgress(frame, DropReason.UNKNOWN_L3, 0);
    };
  }

  private int droppedEgress(Frame frame, int reason, int destination) {
    return node.events.drop(frame, endpoint.id(), reason, own(), destination, 0, MetricsKey.EGRESS);
  }

  /** {@code tail_handle_arp}: any address but the pod's own is at the lxc device. */
  private int tailHandleArp(Frame frame) {
    boolean request =
        frame.has(14, 28)
            && frame.u16(14) == 1
            && frame.u16(16) == IPV4
            && frame.u16(20) == 1
            && (frame.mac(0) == BROADCAST || frame.mac(0) == endpoint.nodeMac());
    if (!request || frame.i32(38) == endpoint.ipv4()) {
      return Verdict.OK;
    }
    long asker = frame.mac(6);
    int askerIp = frame.i32(28);
    int askedIp = frame.i32(38);
    frame.setMacs(asker, endpoint.nodeMac());
    frame.set16(20, 2);
    frame.setMac(22, endpoint.nodeMac());
    frame.set32(28, askedIp);
    frame.setMac(32, asker);
    frame.set32(38, askerIp);
    return Program.redirect(frame, frame.skb.ifindex);
  }

  /** {@code tail_handle_ipv4}, {@code tail_ipv4_ct_egress}, {@code tail_handle_ipv4_cont}. */
  private int tailHandleIpv4(Frame frame) {
    State translated = new State();
    try {
      translate(frame, translated);
    } catch (Drop drop) {
      return droppedEgress(frame, drop.reason, 0);
    }
    Lookup found;
    try {
      found = node.conntrack.lookup(frame, Direction.EGRESS);
    } catch (Drop drop) {
      return -drop.reason;
    }
    destinationIdentity = 0;
    try {
      return handleIpv4(frame, found, translated);
    } catch (Drop drop) {
      return droppedEgress(frame, drop.reason, destinationIdentity);
    }
  }

  private void translate(Frame frame, State state) {
    frame.needsIpv4();
    if (frame.source().value() != endpoint.ipv4()) {
      throw new Drop(DropReason.INVALID_SIP);
    }
    if (node.config.perPacketLb() && ServiceModel.hasPorts(frame.protocol())) {
      Service service = node.services.find(frame, node.config.nodePort() != null);
      if (service != null) {
        node.services.local(frame, service, program.maglev(), state);
      }
    }
  }

  /** {@code handle_ipv4_from_lxc}. */
  private int handleIpv4(Frame frame, Lookup found, State translated) {
    RemoteEndpointInfo known = node.maps.ipcache(frame.destination());
    boolean identified = known != null && known.securityIdentity() != 0;
    destinationIdentity = identified ? known.securityIdentity() : Program.WORLD;
    if (found.tuple().saddr().equals(Ipv4Address.ANY)) {
      throw new Drop(DropReason.INVALID_TC_BUFFER);
    }
    if (found.answers() && found.has(CtEntry.PROXY_REDIRECT)) {
      return Program.toProxy(frame, 0);
    }
    Decision decision = Decision.NOT_ASKED;
    if (!translated.loopback) {
      decision = mayLeave(frame, found);
    }
    switch (found.status()) {
      case ConntrackModel.NEW -> create(frame, found.tuple(), translated, decision);
      case ConntrackModel.ESTABLISHED, ConntrackModel.REOPENED -> {
        if (found.revNatIndex() != translated.revNatIndex) {
          create(frame, found.tuple(), translated, decision);
        }
      }
      default -> {
        if (nodePort != null && found.has(CtEntry.NODE_PORT) && !answersInName(found)) {
          return throughNodePort(frame, found);
        }
        answer(frame, found);
      }
    }
    if (decision.redirects() && !found.answers()) {
      trace(
          frame,
          found,
          TracePoint.TO_PROXY,
          0,
          Short.reverseBytes((short) decision.verdict()) & 0xffff);
      return Program.toProxy(frame, decision.verdict());
    }
    @Nullable Ipv4Address behind = identified ? program.tunnelEndpoint(frame.destination()) : null;
    return forward(frame, found, behind);
  }

  private Decision mayLeave(Frame frame, Lookup found) {
    int port = found.tuple().dport();
    Decision decision = node.policy.egress(frame, endpoint.id(), own(), destinationIdentity, port);
    boolean denied = decision.denies() && !found.answers();
    boolean news =
        found.status() == ConntrackModel.NEW || found.status() == ConntrackModel.REOPENED;
    if (denied || news) {
      node.events.verdict(
          frame, endpoint.id(), destinationIdentity, port, frame.protocol(), true, decision);
    }
    if (denied) {
      throw new Drop(-decision.verdict());
    }
    return decision;
  }

  private void create(Frame frame, CtTuple tuple, State translated, Decision decision) {
    State state = new State();
    state.revNatIndex = translated.revNatIndex;
    state.loopback = translated.loopback;
    if (translated.loopback) {
      state.loopbackAddress = new Ipv4Address(node.config.loopbackIp());
      state.serviceAddress = frame.destination();
    }
    state.proxyRedirect = decision.redirects();
    state.sourceIdentity = own();
    node.conntrack.create(frame, tuple, Direction.EGRESS, state, true);
  }

  private boolean answersInName(Lookup found) {
    return nodePort != null && nodePort.hasDsr() && found.has(CtEntry.DSR);
  }

  /** What answers who came by this node's NodePort. */
  private int throughNodePort(Frame frame, Lookup found) {
    trace(frame, found, TracePoint.TO_NETWORK, destinationIdentity, 0);
    frame.tcIndex |= Program.SKIP_RECIRCULATION;
    return nodePort == null ? Verdict.OK : nodePort.tailReverse(frame, () -> tailHandleIpv4(frame));
  }

  private void answer(Frame frame, Lookup found) {
    if (answersInName(found) && nodePort != null) {
      nodePort.answerInName(frame, found.tuple());
    }
    if (found.revNatIndex() != 0) {
      node.services.reverse(frame, found.revNatIndex(), found.has(CtEntry.LB_LOOPBACK), true);
    }
  }

  private int forward(Frame frame, Lookup found, @Nullable Ipv4Address behind) {
    EndpointInfo local = node.maps.endpoints.get(frame.destination());
    if (local != null && !local.isHost()) {
      return node.deliver(program, frame, own(), local, MetricsKey.EGRESS);
    }
    boolean tunnelled =
        local == null
            && node.config.tunnel()
            && program.throughTunnel(frame, behind, own(), found.status(), found.monitored());
    return tunnelled ? Verdict.REDIRECT : toStack(frame, found);
  }

  private int toStack(Frame frame, Lookup found) {
    frame.forward();
    frame.setMac(0, endpoint.nodeMac());
    frame.mark =
        frame.mark & 0xff00
            | Program.MARK_IDENTITY
            | (own() & 0xffff) << 16
            | (own() & 0xff0000) >>> 16;
    trace(frame, found, TracePoint.TO_STACK, destinationIdentity, 0);
    return Verdict.OK;
  }

  private void trace(Frame frame, Lookup found, TracePoint point, int destination, int id) {
    node.events.trace(
        frame,
        endpoint.id(),
        point,
        own(),
        destination,
        id,
        0,
        found.status(),
        found.monitored(),
        Ipv4Address.ANY);
  }

  // ---- to the pod

  /** {@code handle_policy}; cb says who sent, and to which device. */
  int handlePolicy(Frame frame) {
    int source = frame.cb[0];
    int ifindex = frame.cb[1];
    return switch (frame.etherType()) {
      case -1 -> droppedIngress(frame, DropReason.UNSUPPORTED_L2, source);
      case IPV4 -> tailIpv4Policy(frame, source, ifindex);
      default -> droppedIngress(frame, DropReason.UNKNOWN_L3, source);
    };
  }

  private int droppedIngress(Frame frame, int reason, int source) {
    return node.events.drop(
        frame, endpoint.id(), reason, source, own(), endpoint.id(), MetricsKey.INGRESS);
  }

  private int tailIpv4Policy(Frame frame, int source, int ifindex) {
    Lookup found;
    try {
      frame.needsIpv4();
      found = node.conntrack.lookup(frame, Direction.INGRESS);
    } catch (Drop drop) {
      return -drop.reason;
    }
    try {
      int proxyPort = policy(frame, source, ifindex, found);
      if (proxyPort >= 0) {
        return Program.toProxy(frame, proxyPort);
      }
      return ifindex == 0 ? Verdict.OK : Program.redirect(frame, ifindex);
    } catch (Drop drop) {
      return droppedIngress(frame, drop.reason, source);
    }
  }

  /** {@code handle_to_container}. */
  int toContainer(Frame frame) {
    if (frame.etherType() < 0) {
      return droppedIngress(frame, DropReason.UNSUPPORTED_L2, 0);
    }
    java.util.Arrays.fill(frame.cb, 0);
    boolean fromProxy = Program.isFromProxy(frame.mark);
    int identity = Program.inheritIdentity(frame);
    node.events.arrival(
        frame,
        endpoint.id(),
        fromProxy ? TracePoint.FROM_PROXY : TracePoint.FROM_STACK,
        identity,
        frame.skb.ingressIfindex);
    return switch (frame.etherType()) {
      case ARP -> Verdict.OK;
      case IPV4 -> tailIpv4ToEndpoint(frame, identity);
      default -> droppedIngress(frame, DropReason.UNKNOWN_L3, identity);
    };
  }

  private int tailIpv4ToEndpoint(Frame frame, int identity) {
    Lookup found;
    try {
      frame.needsIpv4();
      found = node.conntrack.lookup(frame, Direction.INGRESS);
    } catch (Drop drop) {
      return -drop.reason;
    }
    int source = program.resolve(frame, identity);
    node.maps.count(DropReason.SUCCESS, MetricsKey.INGRESS, frame.length());
    try {
      int proxyPort = policy(frame, source, 0, found);
      return proxyPort < 0 ? Verdict.OK : toProxyAround(frame);
    } catch (Drop drop) {
      return droppedIngress(frame, drop.reason, source);
    }
  }

  /** {@code ctx_redirect_to_proxy_hairpin_ipv4}: by {@code cilium_net} to the stack. */
  private int toProxyAround(Frame frame) {
    frame.forward();
    frame.setMacs(node.config.hostIfindexMac(), endpoint.nodeMac());
    return Program.redirect(frame, node.config.hostIfindex());
  }

  /**
   * {@code ipv4_policy}.
   *
   * @return the proxy's port that the packet goes to, 0 if the proxy knows the connection, or -1
   *     for the pod
   */
  private int policy(Frame frame, int source, int ifindex, Lookup found) {
    Ipv4Address originalSource = frame.source();
    if (found.tuple().saddr().equals(Ipv4Address.ANY)) {
      throw new Drop(DropReason.INVALID_TC_BUFFER);
    }
    boolean fromProxy = (frame.tcIndex & Program.SKIP_EGRESS_PROXY) != 0;
    if (found.answers() && found.has(CtEntry.PROXY_REDIRECT) && !fromProxy) {
      told(frame, TracePoint.TO_PROXY, source, 0, ifindex, found, originalSource);
      return 0;
    }
    boolean loopback = found.has(CtEntry.LB_LOOPBACK);
    if (found.status() == ConntrackModel.REPLY && found.revNatIndex() != 0 && !loopback) {
      node.services.reverse(frame, found.revNatIndex(), false, false);
    }
    Decision decision = loopback ? Decision.NOT_ASKED : mayEnter(frame, source, found);
    State state = new State();
    boolean opens =
        found.status() == ConntrackModel.NEW || found.status() == ConntrackModel.REOPENED;
    if (nodePort != null && opens) {
      nodePort.trackAsked(frame, found, state);
    }
    if (found.status() == ConntrackModel.NEW) {
      state.sourceIdentity = source;
      state.proxyRedirect = decision.redirects();
      node.conntrack.create(frame, found.tuple(), Direction.INGRESS, state, true);
    }
    if (decision.redirects() && !found.answers()) {
      int port = Short.reverseBytes((short) decision.verdict()) & 0xffff;
      told(frame, TracePoint.TO_PROXY, source, port, ifindex, found, originalSource);
      return decision.verdict();
    }
    told(frame, TracePoint.TO_LXC, source, endpoint.id(), ifindex, found, originalSource);
    return -1;
  }

  private Decision mayEnter(Frame frame, int source, Lookup found) {
    int port = found.tuple().dport();
    Decision decision = node.policy.ingress(frame, endpoint.id(), source, port);
    if (decision.denies() && !found.answers()) {
      node.events.verdict(frame, endpoint.id(), source, port, frame.protocol(), false, decision);
      throw new Drop(-decision.verdict());
    }
    if ((frame.tcIndex & Program.SKIP_INGRESS_PROXY) != 0) {
      // The proxy was told of, and would be sent its own packet.
      return new Decision(0, decision.match(), decision.audited());
    }
    if (found.status() == ConntrackModel.NEW || found.status() == ConntrackModel.REOPENED) {
      node.events.verdict(frame, endpoint.id(), source, port, frame.protocol(), false, decision);
    }
    return decision;
  }

  private void told(
      Frame frame,
      TracePoint point,
      int source,
      int id,
      int ifindex,
      Lookup found,
      Ipv4Address originalSource) {
    node.events.trace(
        frame,
        endpoint.id(),
        point,
        source,
        own(),
        id,
        ifindex,
        found.status(),
        found.monitored(),
        originalSource);
  }
}
