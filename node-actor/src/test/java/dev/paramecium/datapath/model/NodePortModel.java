package dev.paramecium.datapath.model;

import dev.paramecium.abi.CtEntry;
import dev.paramecium.abi.CtTuple;
import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.EndpointInfo;
import dev.paramecium.abi.IpProtocol;
import dev.paramecium.abi.Ipv4Address;
import dev.paramecium.abi.Lb4Service;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.RemoteEndpointInfo;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.datapath.model.ConntrackModel.Direction;
import dev.paramecium.datapath.model.ConntrackModel.Lookup;
import dev.paramecium.datapath.model.ConntrackModel.State;
import dev.paramecium.datapath.model.Program.Step;
import dev.paramecium.datapath.model.ServiceModel.Service;
import dev.paramecium.lib.Fib;
import dev.paramecium.lib.Masquerade;
import dev.paramecium.lib.NodePortConfig;
import dev.paramecium.lib.NodePortConfig.Mode;
import org.jspecify.annotations.Nullable;

/** {@code lib/nodeport.h} in one object file. */
final class NodePortModel {

  private static final int XFER_NO_SERVICE = 1;
  private static final int DSR_OPTION = 0x9a08;
  private static final int OPTIONS = Frame.IP + 20;
  private static final int SYN = 2;

  private final Program program;
  private final NodeModel node;
  private final NodePortConfig settings;
  private final TracePoint observation;
  private final boolean xdp;
  private final NatModel nat;

  NodePortModel(Program program, NodePortConfig settings, TracePoint observation, boolean xdp) {
    this.program = program;
    this.node = program.node();
    this.settings = settings;
    this.observation = observation;
    this.xdp = xdp;
    this.nat = new NatModel(node.maps, settings, node.conntrack, node.random, node.clock);
  }

  boolean hasDsr() {
    return settings.mode() != Mode.SNAT;
  }

  /** Of {@code to_netdev}: !ENABLE_DSR || ENABLE_DSR_HYBRID || ENABLE_MASQUERADE. */
  boolean translatesAtDevice() {
    return !hasDsr() || settings.mode() == Mode.HYBRID || settings.masquerade() != null;
  }

  private boolean usesDsr(int protocol) {
    return settings.mode() == Mode.DSR
        || settings.mode() == Mode.HYBRID && protocol == IpProtocol.TCP;
  }

  private Ipv4Address directRouting() {
    return new Ipv4Address(settings.directRoutingIp());
  }

  private int dropped(Frame frame, int reason, int direction) {
    return node.events.drop(frame, program.source(), reason, 0, 0, 0, direction);
  }

  // ---- requests

  /**
   * {@code nodeport_lb4}.
   *
   * @param identity who sent, which {@code restart} is told
   * @param restart the object's {@code IPV4_FROM_NETDEV}
   * @return what became of the packet, or null to go on as if there were no NodePort
   */
  @Nullable Integer loadBalance(Frame frame, int identity, Step restart) {
    frame.needsIpv4();
    int protocol = frame.protocol();
    boolean icmp = protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6;
    if (!icmp && !ServiceModel.hasPorts(protocol)) {
      return null;
    }
    @Nullable Service service = icmp ? null : node.services.find(frame, false);
    if (service == null) {
      return perhapsAnswer(frame, identity, restart);
    }
    if (!node.services.isSourceAllowed(service, frame.source())) {
      throw new Drop(DropReason.NOT_IN_SRC_RANGE);
    }
    Ipv4Address client = frame.source();
    Ipv4Address frontend = frame.destination();
    State state = new State();
    Ipv4Address tracked = node.services.local(frame, service, program.maglev(), state);
    if (!service.has(Lb4Service.FLAG_ROUTABLE)) {
      throw new Drop(DropReason.IS_CLUSTER_IP);
    }
    boolean local = node.maps.endpoints.containsKey(tracked);
    if (!local && service.has(Lb4Service.FLAG_HOST_PORT)) {
      throw new Drop(DropReason.INVALID);
    }
    if (!local && usesDsr(protocol)) {
      return tailDsr(frame, frontend, service.key().dport());
    }
    track(frame, client, tracked, service, state);
    node.maps.neighbors.put(frame.source(), "%012x".formatted(frame.mac(6)));
    if (local) {
      tellTc(frame);
      return null;
    }
    return tailNatEgress(frame);
  }

  /** {@code ctx_set_xfer}. */
  private void tellTc(Frame frame) {
    if (xdp) {
      frame.xfer = XFER_NO_SERVICE;
    }
  }

  private @Nullable Integer perhapsAnswer(Frame frame, int identity, Step restart) {
    tellTc(frame);
    if (settings.masquerade() == null && usesDsr(frame.protocol())) {
      return null;
    }
    frame.cb[0] = identity;
    return tailNatIngress(frame, restart);
  }

  private void track(
      Frame frame, Ipv4Address client, Ipv4Address tracked, Service service, State state) {
    Lookup found;
    try {
      found = node.conntrack.lookup(frame, client, tracked, Direction.EGRESS);
    } catch (Drop _) {
      throw new Drop(DropReason.UNKNOWN_CT);
    }
    if (found.status() == ConntrackModel.RELATED) {
      throw new Drop(DropReason.UNKNOWN_CT);
    }
    boolean created = found.status() == ConntrackModel.NEW;
    if (created || found.revNatIndex() != service.value().revNatIndex()) {
      state.sourceIdentity = Program.WORLD;
      state.nodePort = true;
      state.ifindex = settings.nativeIfindex();
      node.conntrack.create(frame, found.tuple(), Direction.EGRESS, state, false);
    }
  }

  // ---- to and from backends on other nodes

  private int tailNatEgress(Frame frame) {
    try {
      Ipv4Address to = node.config.tunnel() ? program.tunnelEndpoint(frame.destination()) : null;
      Ipv4Address target = directRouting();
      if (to != null) {
        program.encapsulate(frame, to, Program.WORLD, ConntrackModel.NEW, true);
        frame.setMacs(0, 0);
        target = new Ipv4Address(node.config.routerIp());
      }
      try {
        nat.egress(frame, target, true);
      } catch (Drop drop) {
        if (drop.reason != DropReason.NAT_NOT_NEEDED) {
          throw drop;
        }
      }
      frame.mark |= Program.MARK_SNAT_DONE;
      return to == null ? byRoute(frame) : Program.redirect(frame, node.config.encapIfindex());
    } catch (Drop drop) {
      return dropped(frame, drop.reason, MetricsKey.EGRESS);
    }
  }

  private int tailNatIngress(Frame frame, Step restart) {
    try {
      nat.ingress(frame);
    } catch (Drop _) {
      frame.tcIndex |= Program.SKIP_NODEPORT;
      return restart.run();
    }
    frame.mark |= Program.MARK_SNAT_DONE;
    return tailReverse(frame, restart);
  }

  private int lookUpRoute(Frame frame, Fib.Answer answer) {
    return settings
        .fib()
        .lookup(
            frame.skb,
            frame.skb.ifindex,
            frame.source().value(),
            frame.destination().value(),
            answer);
  }

  private int byRoute(Frame frame) {
    Fib.Answer answer = new Fib.Answer();
    if (lookUpRoute(frame, answer) != Fib.SUCCESS) {
      throw new Drop(DropReason.NO_FIB);
    }
    frame.setMacs(answer.destinationMac, answer.sourceMac);
    return Program.redirect(frame, answer.ifindex);
  }

  /** {@code tail_rev_nodeport_lb4}. */
  int tailReverse(Frame frame, Step restart) {
    try {
      return reverse(frame, restart);
    } catch (Drop drop) {
      return dropped(frame, drop.reason, MetricsKey.EGRESS);
    }
  }

  private int reverse(Frame frame, Step restart) {
    frame.needsIpv4();
    // What conntrack cannot read answers nobody.
    @Nullable Lookup found = null;
    try {
      found = node.conntrack.lookup(frame, Direction.INGRESS);
    } catch (Drop _) {
      // Below.
    }
    if (found == null
        || found.status() != ConntrackModel.REPLY
        || !found.has(CtEntry.NODE_PORT)
        || found.revNatIndex() == 0) {
      if ((frame.tcIndex & Program.SKIP_RECIRCULATION) != 0) {
        return Program.redirect(frame, 0);
      }
      frame.tcIndex |= Program.SKIP_NODEPORT;
      return restart.run();
    }
    node.services.reverse(frame, found.revNatIndex(), found.has(CtEntry.LB_LOOPBACK), true);
    frame.mark |= Program.MARK_SNAT_DONE;
    Ipv4Address to =
        node.config.tunnel() && !xdp ? program.tunnelEndpoint(frame.destination()) : null;
    if (to != null) {
      program.encapsulate(frame, to, program.seclabel(), ConntrackModel.REPLY, found.monitored());
      frame.setMacs(0, 0);
      return Program.redirect(frame, node.config.encapIfindex());
    }
    return toClient(frame, found);
  }

  /** By the node's routes, or to the MAC that the request came from. */
  private int toClient(Frame frame, Lookup found) {
    Fib.Answer answer = new Fib.Answer();
    int route = lookUpRoute(frame, answer);
    if (route == Fib.SUCCESS) {
      frame.setMacs(answer.destinationMac, answer.sourceMac);
      return Program.redirect(frame, answer.ifindex);
    }
    @Nullable String mac =
        route == Fib.NO_NEIGHBOR ? node.maps.neighbors.get(found.tuple().daddr()) : null;
    if (mac == null || found.entry() == null) {
      throw new Drop(DropReason.NO_FIB);
    }
    frame.setMacs(Long.parseLong(mac, 16), settings.nativeMac());
    return Program.redirect(frame, found.entry().ifindex());
  }

  // ---- direct server return

  private int tailDsr(Frame frame, Ipv4Address frontend, int port) {
    try {
      frame.needsIpv4();
      if (setOption(frame, frontend, port)) {
        return byRoute(frame);
      }
      return replyTooBig(frame);
    } catch (Drop drop) {
      return dropped(frame, drop.reason, MetricsKey.EGRESS);
    }
  }

  /** {@code dsr_set_opt4}: false if the packet would become too long. */
  private boolean setOption(Frame frame, Ipv4Address frontend, int port) {
    if (frame.protocol() == IpProtocol.TCP) {
      // Where TCP's flags are if there are no options before.
      int flags = Frame.IP + 20 + 13;
      if (!frame.has(flags - 1, 2)) {
        throw new Drop(DropReason.CT_INVALID_HDR);
      }
      if ((frame.u8(flags) & SYN) == 0) {
        return true;
      }
    }
    int total = frame.u16(Frame.IP + 2) + 8;
    if (settings.pmtuDiscovery() && total > settings.mtu()) {
      return false;
    }
    int before = frame.i32(Frame.IP);
    frame.insert(OPTIONS, 8);
    frame.set8(Frame.IP, frame.u8(Frame.IP) + 2);
    frame.set16(Frame.IP + 2, total);
    int first = DSR_OPTION << 16 | Short.reverseBytes((short) port) & 0xffff;
    int second = Integer.reverseBytes(frontend.value());
    frame.set32(OPTIONS, first);
    frame.set32(OPTIONS + 4, second);
    frame.correctIp(before, frame.i32(Frame.IP));
    frame.correctIp(0, first);
    frame.correctIp(0, second);
    return true;
  }

  /** {@code dsr_reply_icmp4}. */
  private int replyTooBig(Frame frame) {
    if (!settings.pmtuDiscovery()) {
      throw new Drop(DropReason.FRAG_NEEDED);
    }
    node.maps.count(DropReason.FRAG_NEEDED, MetricsKey.EGRESS, frame.length());
    int quoted = 4 * frame.headerWords() + 8;
    Ipv4Address sender = frame.source();
    Ipv4Address asked = frame.destination();
    int tos = frame.u8(Frame.IP + 1);
    int id = frame.u16(Frame.IP + 4);
    long senderMac = frame.mac(6);
    long ownMac = frame.mac(0);
    frame.trim(Frame.IP + quoted);
    frame.insert(Frame.IP, 28);
    frame.setMacs(senderMac, ownMac);
    frame.set16(Frame.IP, 0x4500 | tos);
    frame.set16(Frame.IP + 2, 28 + quoted);
    frame.set16(Frame.IP + 4, id);
    frame.set16(Frame.IP + 6, 0x4000);
    frame.set16(Frame.IP + 8, 64 << 8 | IpProtocol.ICMP);
    frame.set32(Frame.SOURCE, asked.value());
    frame.set32(Frame.DESTINATION, sender.value());
    setChecksum(frame, Frame.IP + 10, Frame.IP, 20);
    int icmp = Frame.IP + 20;
    frame.set16(icmp, 3 << 8 | 4);
    frame.set16(icmp + 6, settings.mtu() - 8);
    setChecksum(frame, icmp + 2, icmp, 8 + quoted);
    return Program.redirect(frame, frame.skb.ifindex);
  }

  /** Of an even number of bytes (RFC 1071). */
  private static void setChecksum(Frame frame, int at, int from, int count) {
    int[] words = new int[count / 2];
    for (int i = 0; i < words.length; i++) {
      words[i] = frame.u16(from + 2 * i);
    }
    // The checksum of nothing is the complement of nothing.
    frame.set16(at, 0xffff);
    frame.correct(at, new int[0], words);
  }

  /** {@code handle_dsr_v4}, and what else bpf_lxc.c asks before it tracks a connection. */
  void trackAsked(Frame frame, Lookup found, State state) {
    boolean reopened = found.status() == ConntrackModel.REOPENED;
    CtTuple tuple = found.tuple();
    if (hasDsr()) {
      state.dsr = rememberName(frame);
      if (reopened && found.has(CtEntry.DSR) != state.dsr) {
        node.conntrack.setFlag(tuple, CtEntry.DSR, state.dsr);
      }
    }
    if (!state.dsr) {
      state.nodePort = node.conntrack.hasNodePortEgressEntry(tuple);
      if (reopened && found.has(CtEntry.NODE_PORT) != state.nodePort) {
        node.conntrack.setFlag(tuple, CtEntry.NODE_PORT, state.nodePort);
      }
    }
  }

  private boolean rememberName(Frame frame) {
    if (frame.headerWords() != 7) {
      return false;
    }
    if (!frame.has(OPTIONS, 8)) {
      throw new Drop(DropReason.INVALID);
    }
    if (frame.u16(OPTIONS) != DSR_OPTION) {
      return false;
    }
    int port = Short.reverseBytes((short) frame.u16(OPTIONS + 2)) & 0xffff;
    nat.createDsr(frame, new Ipv4Address(Integer.reverseBytes(frame.i32(OPTIONS + 4))), port);
    return true;
  }

  void answerInName(Frame frame, CtTuple found) {
    nat.answerInName(frame, found);
  }

  // ---- what leaves the node

  /** {@code handle_nat_fwd}. */
  int forward(Frame frame) {
    if (frame.etherType() != 0x800) {
      return Verdict.OK;
    }
    try {
      natForward(frame);
    } catch (Drop drop) {
      if (drop.reason != DropReason.NAT_NOT_NEEDED) {
        return dropped(frame, drop.reason, MetricsKey.EGRESS);
      }
    }
    node.events.departure(frame, program.source(), observation, 0, 0);
    return Verdict.OK;
  }

  /** {@code nodeport_nat_ipv4_fwd}, {@code snat_v4_needed}. */
  private void natForward(Frame frame) {
    if (!frame.has(Frame.IP, 20)) {
      return;
    }
    boolean overlay = observation == TracePoint.TO_OVERLAY;
    Masquerade.@Nullable Config masquerade = settings.masquerade();
    Ipv4Address own = overlay ? new Ipv4Address(node.config.routerIp()) : directRouting();
    if (frame.source().equals(own)) {
      nat.egress(frame, own, false);
      return;
    }
    if (!overlay && masquerade != null && frame.source().value() == masquerade.address()) {
      nat.egress(frame, frame.source(), false);
      return;
    }
    EndpointInfo local = node.maps.endpoints.get(frame.source());
    boolean reply = local != null && node.conntrack.isReply(frame);
    if (overlay || masquerade == null || reply || local == null || local.isHost()) {
      return;
    }
    int destination = frame.destination().value();
    RemoteEndpointInfo remote = node.maps.ipcache(frame.destination());
    if ((destination & masquerade.exclusionMask()) == masquerade.exclusion() || remote == null) {
      return;
    }
    if (!node.config.tunnel() && Program.isRemoteNode(remote.securityIdentity())) {
      return;
    }
    nat.egress(frame, new Ipv4Address(masquerade.address()), true);
  }
}
