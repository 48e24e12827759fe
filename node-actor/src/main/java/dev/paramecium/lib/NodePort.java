package dev.paramecium.lib;

import dev.paramecium.abi.DropReason;
import dev.paramecium.abi.MetricsKey;
import dev.paramecium.abi.TracePoint;
import dev.paramecium.abi.TraceReason;
import dev.paramecium.bpf.LpmTrie;
import dev.paramecium.bpf.ProgramArray;
import dev.paramecium.bpf.SkBuff;
import dev.paramecium.bpf.Verdict;
import dev.paramecium.map.EndpointMap;
import dev.paramecium.map.Ipcache;
import dev.paramecium.map.NatMaps;
import dev.paramecium.packet.EtherType;
import dev.paramecium.packet.Ethernet;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Services for clients outside the cluster ({@code bpf/lib/nodeport.h}), compiled into an object
 * with its own tail calls.
 *
 * <pre>
 *   client → node:port   nodeport_lb4 → backend here: conntrack entry with node_port, on to delivery
 *                              \--15--> backend elsewhere: tail_nodeport_nat_ipv4, from this node's address
 *                              \--20--> backend elsewhere: tail_nodeport_ipv4_dsr, as it is ({@link Dsr})
 *   backend → node       nodeport_lb4 --15--> back to the client's address --17--> tail_rev_nodeport_lb4
 * </pre>
 */
public final class NodePort {

  /** XFER_PKT_NO_SVC, what XDP tells tc of a packet that it has looked at already. */
  public static final int XFER_NO_SERVICE = 1;

  private static final int LINE_DSR = 1621;
  private static final int LINE_NAT = 1774;
  private static final int LINE_REVNAT = 2151;
  private static final int LINE_NAT_FWD = 2188;

  private final String object;
  private final BpfLib lib;
  private final NodeConfig config;
  private final NodePortConfig settings;
  private final ProgramArray calls;
  private final TracePoint observation;
  private final int securityIdentity;
  private final boolean xdp;
  private final Nat nat;
  private final @Nullable Dsr dsr;
  private final @Nullable Masquerade masquerade;
  private final NatMaps natMaps;
  private final Ipcache ipcache;
  private final EndpointMap lxc;
  private final TraceRecorder recorder;

  private NodePort(
      String object,
      BpfLib lib,
      NodePortConfig settings,
      ProgramArray calls,
      TracePoint observation,
      int securityIdentity,
      boolean xdp) {
    this.object = object;
    this.lib = lib;
    this.config = lib.context().config();
    this.settings = settings;
    this.calls = calls;
    this.observation = observation;
    this.securityIdentity = securityIdentity;
    this.xdp = xdp;
    this.nat = new Nat(lib.context(), settings, lib.conntrack());
    this.dsr = Dsr.compile(lib);
    this.masquerade =
        settings.masquerade() == null ? null : new Masquerade(lib.context(), settings.masquerade());
    this.natMaps = lib.context().maps().nat();
    this.ipcache = lib.context().maps().ipcache();
    this.lxc = lib.context().maps().lxc();
    this.recorder = lib.context().recorder();
  }

  /**
   * Null if NodePort is off.
   *
   * @param calls the object's own program array
   * @param observation what {@link #natForward} traces: TO_OVERLAY in {@code bpf_overlay.o},
   *     otherwise TO_NETWORK
   * @param securityIdentity SECLABEL, who replies through the tunnel come from
   */
  public static @Nullable NodePort compile(
      String object, BpfLib lib, ProgramArray calls, TracePoint observation, int securityIdentity) {
    NodePortConfig settings = lib.context().config().nodePort();
    return settings == null
        ? null
        : new NodePort(object, lib, settings, calls, observation, securityIdentity, false);
  }

  /** The same for {@code bpf_xdp.o}, whose packets may still come by tc. */
  public static @Nullable NodePort compileForXdp(String object, BpfLib lib, ProgramArray calls) {
    NodePortConfig settings = lib.context().config().nodePort();
    return settings == null
        ? null
        : new NodePort(object, lib, settings, calls, TracePoint.TO_NETWORK, Identity.WORLD, true);
  }

  public List<ProgramSection> tailCalls() {
    List<ProgramSection> sections = new ArrayList<>();
    sections.add(
        ProgramSection.tailCall(
            object, Calls.IPV4_NODEPORT_NAT, "tail_nodeport_nat_ipv4", this::tailNat));
    sections.add(
        ProgramSection.tailCall(
            object, Calls.IPV4_NODEPORT_REVNAT, "tail_rev_nodeport_lb4", this::tailReverse));
    if (dsr != null) {
      sections.add(
          ProgramSection.tailCall(
              object, Calls.IPV4_NODEPORT_DSR, "tail_nodeport_ipv4_dsr", this::tailDsr));
    }
    return sections;
  }

  private int call(SkBuff packet, int slot) {
    return calls.tailCall(packet, slot) ? Verdict.TAIL_CALL : -DropReason.MISSED_TAIL_CALL;
  }

  // ---- requests

  /**
   * {@code nodeport_lb4}.
   *
   * @param sourceIdentity who sent, as far as the caller knows yet: what starts over is told
   * @return 0 to go on as if there were no NodePort, {@link Verdict#TAIL_CALL}, or a negative drop
   *     reason
   */
  public int loadBalance(SkBuff packet, int sourceIdentity, PerCpu cpu) {
    if (packet.traced) {
      recorder.function(packet, "nodeport_lb4");
    }
    Ipv4CtTuple tuple = cpu.serviceTuple;
    CtState state = cpu.ctStateNew;
    state.clear();
    int l4Offset = Ipv4Header.l4Offset(packet);
    int error = lib.loadBalancer().extractKey(packet, tuple, l4Offset, cpu);
    if (error == -DropReason.UNKNOWN_L4) {
      return 0;
    }
    if (error == -DropReason.NO_SERVICE) {
      return maybeReply(packet, tuple.nexthdr, sourceIdentity);
    }
    if (error < 0) {
      return error;
    }
    int frontend = tuple.daddr;
    int frontendPort = tuple.sport;
    int service = lib.loadBalancer().lookup(packet, tuple, false, cpu);
    if (service < 0) {
      return maybeReply(packet, tuple.nexthdr, sourceIdentity);
    }
    if (!lib.loadBalancer().isSourceAllowed(service, Ipv4Header.saddr(packet))) {
      return -DropReason.NOT_IN_SRC_RANGE;
    }
    error = lib.loadBalancer().local(packet, service, tuple, l4Offset, state, cpu);
    if (error < 0) {
      return error;
    }
    if (!lib.loadBalancer().isRoutable(service)) {
      return -DropReason.IS_CLUSTER_IP;
    }
    boolean local = lxc.find(tuple.daddr) >= 0;
    if (!local && lib.loadBalancer().isHostPort(service)) {
      return -DropReason.INVALID;
    }
    if (!local && dsr != null && dsr.isUsedFor(tuple.nexthdr)) {
      // The answer never comes by here, so there is nothing to remember.
      packet.cb0 = frontendPort;
      packet.cb1 = frontend;
      return call(packet, Calls.IPV4_NODEPORT_DSR);
    }
    return toBackend(packet, service, local, tuple, l4Offset, state, cpu);
  }

  /** No service, but perhaps what a remote backend answers, or somebody a pod has spoken to. */
  private int maybeReply(SkBuff packet, int protocol, int sourceIdentity) {
    tellTc(packet);
    if (masquerade == null && dsr != null && dsr.isUsedFor(protocol)) {
      return 0;
    }
    packet.cb3 = Nat.INGRESS;
    packet.cb0 = sourceIdentity; // CB_SRC_IDENTITY
    return call(packet, Calls.IPV4_NODEPORT_NAT);
  }

  /** {@code ctx_set_xfer}, which only XDP has. */
  private void tellTc(SkBuff packet) {
    if (xdp) {
      packet.xfer = XFER_NO_SERVICE;
    }
  }

  private int toBackend(
      SkBuff packet,
      int service,
      boolean local,
      Ipv4CtTuple tuple,
      int l4Offset,
      CtState created,
      PerCpu cpu) {
    int error = track(packet, service, tuple, l4Offset, created, cpu);
    if (error < 0) {
      return error;
    }
    error = learnNeighbor(packet, cpu);
    if (error < 0) {
      return error;
    }
    if (local) {
      tellTc(packet);
      return 0;
    }
    packet.cb3 = Nat.EGRESS;
    return call(packet, Calls.IPV4_NODEPORT_NAT);
  }

  private int track(
      SkBuff packet, int service, Ipv4CtTuple tuple, int l4Offset, CtState created, PerCpu cpu) {
    CtState found = cpu.otherState;
    found.clear();
    int status = lib.conntrack().lookup4(packet, tuple, l4Offset, Conntrack.EGRESS, found, cpu);
    boolean recreate =
        switch (status) {
          case Conntrack.NEW -> true;
          // An entry of another service's flow between the same ends is stale.
          case Conntrack.REOPENED, Conntrack.ESTABLISHED, Conntrack.REPLY ->
              found.rawRevNatIndex != lib.loadBalancer().rawRevNatIndex(service);
          default -> false;
        };
    if (status < 0 || status == Conntrack.RELATED) {
      return -DropReason.UNKNOWN_CT;
    }
    if (!recreate) {
      return 0;
    }
    created.sourceSecurityIdentity = Identity.WORLD;
    created.nodePort = true;
    created.ifindex = settings.nativeIfindex();
    return lib.conntrack().create4(packet, tuple, Conntrack.EGRESS, created, false, false, cpu);
  }

  /** Where replies to the client go, should the node's own neighbour table not know it. */
  private int learnNeighbor(SkBuff packet, PerCpu cpu) {
    int client = Ipv4Header.saddr(packet);
    long mac = packet.mac(Ethernet.SOURCE);
    if (natMaps.neighborOf(client) == mac) {
      return 0;
    }
    for (int i = 0; i < 6; i++) {
      cpu.value[i] = (byte) (mac >>> 40 - 8 * i);
    }
    return natMaps.updateNeighbor(client, cpu.value);
  }

  // ---- slot 15

  /** {@code tail_nodeport_nat_ipv4}. */
  private int tailNat(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_nodeport_nat_ipv4");
    }
    int direction = packet.cb3;
    PerCpu cpu = PerCpu.current();
    int result = direction == Nat.EGRESS ? natRequest(packet, cpu) : reverseNatReply(packet, cpu);
    return Outcome.isError(result)
        ? lib.events()
            .drop(
                packet,
                0,
                result,
                direction == Nat.INGRESS ? MetricsKey.INGRESS : MetricsKey.EGRESS,
                LINE_NAT)
        : result;
  }

  /** To a backend on another node, through the tunnel if that is the way. */
  private int natRequest(SkBuff packet, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    int node = config.tunnel() ? tunnelEndpointOf(Ipv4Header.daddr(packet)) : 0;
    int target = node == 0 ? settings.directRoutingIp() : config.routerIp();
    if (node != 0) {
      // The request came from outside: the other node's policy must not take it for this node's.
      lib.encap()
          .encapsulate(
              packet,
              node,
              Identity.WORLD,
              TraceReason.NEW.code(),
              NodeConfig.TRACE_PAYLOAD_LENGTH);
      packet.setMac(Ethernet.DESTINATION, 0);
      packet.setMac(Ethernet.SOURCE, 0);
    }
    int error = nat.process(packet, Nat.EGRESS, target, true, cpu);
    if (error < 0 && error != Nat.PUNT_TO_STACK) {
      return error;
    }
    packet.mark |= Identity.MARK_MAGIC_SNAT_DONE;
    return node == 0 ? redirectByFib(packet, cpu) : Redirect.to(packet, config.encapIfindex(), 0);
  }

  private int redirectByFib(SkBuff packet, PerCpu cpu) {
    if (lookupFib(packet, cpu) != Fib.SUCCESS) {
      return -DropReason.NO_FIB;
    }
    packet.setMac(Ethernet.DESTINATION, cpu.fib.destinationMac);
    packet.setMac(Ethernet.SOURCE, cpu.fib.sourceMac);
    return Redirect.to(packet, cpu.fib.ifindex, 0);
  }

  private int lookupFib(SkBuff packet, PerCpu cpu) {
    cpu.fib.clear();
    return settings
        .fib()
        .lookup(
            packet, packet.ifindex, Ipv4Header.saddr(packet), Ipv4Header.daddr(packet), cpu.fib);
  }

  private int tunnelEndpointOf(int address) {
    LpmTrie.Entry entry = ipcache.lookup(address);
    return entry == null ? 0 : Ipcache.tunnelEndpoint(entry);
  }

  /** Of a remote backend: its destination becomes the client again. Anything else starts over. */
  private int reverseNatReply(SkBuff packet, PerCpu cpu) {
    int error = nat.process(packet, Nat.INGRESS, settings.directRoutingIp(), true, cpu);
    if (error < 0) {
      packet.tcIndex |= Identity.SKIP_NODEPORT;
      return call(packet, Calls.IPV4_FROM_NETDEV);
    }
    packet.mark |= Identity.MARK_MAGIC_SNAT_DONE;
    return call(packet, Calls.IPV4_NODEPORT_REVNAT);
  }

  // ---- slot 20

  /** {@code tail_nodeport_ipv4_dsr}. */
  private int tailDsr(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_nodeport_ipv4_dsr");
    }
    int result = returnDirectly(packet, PerCpu.current());
    return Outcome.isError(result)
        ? lib.events().drop(packet, 0, result, MetricsKey.EGRESS, LINE_DSR)
        : result;
  }

  private int returnDirectly(SkBuff packet, PerCpu cpu) {
    if (dsr == null || !Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    int error = dsr.setOption(packet, packet.cb1, packet.cb0);
    if (error == -DropReason.FRAG_NEEDED) {
      return dsr.replyTooBig(packet);
    }
    return error < 0 ? error : redirectByFib(packet, cpu);
  }

  // ---- slot 17

  /** {@code tail_rev_nodeport_lb4}: a reply comes from the service that was asked. */
  private int tailReverse(SkBuff packet) {
    if (packet.traced) {
      recorder.function(packet, "tail_rev_nodeport_lb4");
    }
    int result = reverse(packet, PerCpu.current());
    return Outcome.isError(result)
        ? lib.events().drop(packet, 0, result, MetricsKey.EGRESS, LINE_REVNAT)
        : result;
  }

  private int reverse(SkBuff packet, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return -DropReason.INVALID;
    }
    Ipv4CtTuple tuple = cpu.serviceTuple;
    Conntrack.fill(tuple, packet);
    CtState state = cpu.otherState;
    state.clear();
    int l4Offset = Ipv4Header.l4Offset(packet);
    int status = lib.conntrack().lookup4(packet, tuple, l4Offset, Conntrack.INGRESS, state, cpu);
    if (status != Conntrack.REPLY || !state.nodePort || state.rawRevNatIndex == 0) {
      if ((packet.tcIndex & Identity.SKIP_RECIRCULATION) != 0) {
        return Redirect.to(packet, 0, 0);
      }
      packet.tcIndex |= Identity.SKIP_NODEPORT;
      return call(packet, Calls.IPV4_FROM_NETDEV);
    }
    int monitor = cpu.monitor;
    int error = lib.loadBalancer().reverseNat(packet, l4Offset, state, tuple, true, true);
    if (error < 0) {
      return error;
    }
    packet.mark |= Identity.MARK_MAGIC_SNAT_DONE;
    int node = config.tunnel() ? tunnelEndpointOf(Ipv4Header.daddr(packet)) : 0;
    if (node != 0) {
      lib.encap().encapsulate(packet, node, securityIdentity, TraceReason.REPLY.code(), monitor);
      packet.setMac(Ethernet.DESTINATION, 0);
      packet.setMac(Ethernet.SOURCE, 0);
      return Redirect.to(packet, config.encapIfindex(), 0);
    }
    return toClient(packet, tuple, state.ifindex, cpu);
  }

  /** By the node's routes; without a neighbour there, to the MAC that the request came from. */
  private int toClient(SkBuff packet, Ipv4CtTuple tuple, int requestIfindex, PerCpu cpu) {
    int result = lookupFib(packet, cpu);
    if (result == Fib.SUCCESS) {
      packet.setMac(Ethernet.DESTINATION, cpu.fib.destinationMac);
      packet.setMac(Ethernet.SOURCE, cpu.fib.sourceMac);
      return Redirect.to(packet, cpu.fib.ifindex, 0);
    }
    long mac = result == Fib.NO_NEIGHBOR ? natMaps.neighborOf(tuple.daddr) : -1;
    if (mac < 0) {
      return -DropReason.NO_FIB;
    }
    packet.setMac(Ethernet.DESTINATION, mac);
    packet.setMac(Ethernet.SOURCE, settings.nativeMac());
    return Redirect.to(packet, requestIfindex, 0);
  }

  // ---- what the node itself sends

  /**
   * {@code handle_nat_fwd}: what leaves with an address that NAT uses too must not take its ports,
   * and what a pod sends to the world leaves with the node's address.
   *
   * @return a verdict
   */
  public int natForward(SkBuff packet, PerCpu cpu) {
    if (Ipv4Header.etherType(packet) != EtherType.IPV4) {
      return Verdict.OK;
    }
    if (packet.traced) {
      recorder.function(packet, "tail_handle_nat_fwd_ipv4");
    }
    int result = nodePortNatForward(packet, cpu);
    if (Outcome.isError(result)) {
      return lib.events().drop(packet, 0, result, MetricsKey.EGRESS, LINE_NAT_FWD);
    }
    lib.events().trace(packet, observation, 0, 0, 0, 0, TraceReason.UNKNOWN.code(), 0, 0);
    return result;
  }

  private int nodePortNatForward(SkBuff packet, PerCpu cpu) {
    if (!Ipv4Header.isThere(packet)) {
      return Verdict.OK;
    }
    boolean overlay = observation == TracePoint.TO_OVERLAY;
    int source = Ipv4Header.saddr(packet);
    int target = overlay ? config.routerIp() : settings.directRoutingIp();
    boolean fromPod = false;
    if (source != target) {
      // In the overlay there is no world: there nothing is masqueraded.
      Masquerade wanted = overlay ? null : masquerade;
      if (wanted == null || source != wanted.address()) {
        int local = lxc.find(source);
        // Asked of every endpoint's packet, wanted or not: it counts fragments and remembers them.
        boolean reply =
            local >= 0 && lib.conntrack().isReply4(packet, Ipv4Header.l4Offset(packet), cpu);
        if (wanted == null || reply || !wanted.isNeeded(packet, local)) {
          return Verdict.OK;
        }
        fromPod = true;
      }
      target = wanted.address();
    }
    int result = nat.process(packet, Nat.EGRESS, target, fromPod, cpu);
    return result == Nat.PUNT_TO_STACK ? Verdict.OK : result;
  }
}
